// The command palette: Ctrl/⌘ K opens it. Pages and actions are fetched once and filtered here; objects are searched
// on the server.
const PAUSE_MS = 120;

export function startPalette() {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const palette = new Palette(dialog);
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      palette.open();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette-open]")) palette.open();
  });
}

class Palette {
  constructor(dialog) {
    this.dialog = dialog;
    this.input = dialog.querySelector("input");
    this.list = dialog.querySelector("[role=listbox]");
    this.known = null;
    this.found = [];
    this.timer = 0;
    this.input.addEventListener("input", () => this.search());
    this.input.addEventListener("keydown", (event) => this.key(event));
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
  }

  open() {
    if (this.dialog.open) return;
    document.querySelector(".rail:popover-open")?.hidePopover();
    this.input.value = "";
    this.found = [];
    this.dialog.showModal();
    this.input.focus();
    this.learn();
  }

  async learn() {
    this.known ??= await this.entries("");
    this.show();
  }

  async entries(text) {
    const answer = await fetch(`${this.dialog.dataset.source}?q=${encodeURIComponent(text)}`);
    if (!answer.ok) return [];
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return [...page.querySelectorAll("[role=option]")];
  }

  search() {
    this.show();
    clearTimeout(this.timer);
    const text = this.input.value.trim();
    if (text.length > 1) this.timer = setTimeout(() => this.ask(text), PAUSE_MS);
  }

  async ask(text) {
    const found = await this.entries(text);
    if (this.input.value.trim() !== text) return;
    this.found = found;
    this.show();
  }

  show() {
    const words = this.input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (entry) => {
      const text = `${entry.textContent} ${entry.dataset.words ?? ""}`.toLowerCase();
      return words.every((word) => text.includes(word));
    };
    const entries = [...(this.known ?? []).filter(fits), ...(words.length ? this.found : [])];
    this.list.replaceChildren(...(entries.length ? entries : [nothing()]));
    entries.forEach((entry, index) => { entry.id = `palette-${index}`; });
    this.select(entries[0]);
  }

  select(entry) {
    for (const other of this.list.querySelectorAll("[aria-selected=true]")) other.setAttribute("aria-selected", "false");
    if (!entry) return this.input.removeAttribute("aria-activedescendant");
    entry.setAttribute("aria-selected", "true");
    this.input.setAttribute("aria-activedescendant", entry.id);
    entry.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    const entries = [...this.list.querySelectorAll("[role=option]")];
    const at = entries.findIndex((entry) => entry.getAttribute("aria-selected") === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && entries.length) {
      event.preventDefault();
      this.select(entries[(at + step + entries.length) % entries.length]);
    } else if (event.key === "Enter" && entries[at]) {
      event.preventDefault();
      entries[at].click();
    }
  }
}

function nothing() {
  const line = document.createElement("p");
  line.className = "none";
  line.setAttribute("role", "option");
  line.setAttribute("aria-disabled", "true");
  line.setAttribute("aria-selected", "false");
  line.textContent = "Nothing found";
  return line;
}
