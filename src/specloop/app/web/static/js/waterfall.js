// The waterfall of a trace: arrow keys walk and fold, the chosen row follows, the open tab of the span is kept.
const PAUSE_MS = 90;

function start() {
  const list = document.querySelector("[data-waterfall]");
  if (list) new Waterfall(list);
  document.addEventListener("input", (event) => {
    if (event.target.matches?.("[data-find]")) find(event.target);
  });
}

class Waterfall {
  constructor(list) {
    this.list = list;
    this.rows = [...list.children];
    this.timer = 0;
    list.addEventListener("click", (event) => this.click(event));
    document.addEventListener("keydown", (event) => this.key(event));
    document.querySelector("[data-next-failure]")?.addEventListener("click", () => this.nextFailure());
    document.querySelector("[data-fold-all]")?.addEventListener("click", (event) => this.foldAll(event.currentTarget));
    // a reader who compares attributes wants those of the next span too
    document.addEventListener("htmx:configRequest", (event) => {
      const tab = document.getElementById("span")?.dataset.tab;
      if (list.contains(event.target) && tab && tab !== "talk") event.detail.parameters.tab = tab;
    });
    this.current()?.scrollIntoView({ block: "nearest" });
  }

  current() {
    return this.list.querySelector("[aria-current=true]")?.closest("li");
  }

  mark(row) {
    this.list.querySelector("[aria-current=true]")?.removeAttribute("aria-current");
    row.querySelector("a").setAttribute("aria-current", "true");
  }

  click(event) {
    const button = event.target.closest(".fold-row");
    if (button) return this.fold(button.closest("li"));
    const link = event.target.closest("a");
    if (link) this.mark(link.closest("li"));
  }

  key(event) {
    const inside = this.list.contains(document.activeElement);
    if (event.altKey || event.ctrlKey || event.metaKey || (!inside && document.activeElement !== document.body)) return;
    const act = {
      ArrowDown: () => this.walk(1),
      ArrowUp: () => this.walk(-1),
      j: () => this.walk(1),
      k: () => this.walk(-1),
      ArrowRight: () => this.open(true),
      ArrowLeft: () => this.open(false),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  walk(step) {
    const seen = this.rows.filter((row) => !row.hidden);
    const row = seen[seen.indexOf(this.current()) + step];
    if (row) this.choose(row);
  }

  choose(row) {
    const link = row.querySelector("a");
    this.mark(row);
    link.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => link.click(), PAUSE_MS);
  }

  nextFailure() {
    const failed = this.rows.filter((row) => row.classList.contains("error"));
    const at = this.rows.indexOf(this.current());
    const row = failed.find((one) => this.rows.indexOf(one) > at) ?? failed[0];
    if (!row) return;
    if (row.hidden) this.setAll(true);
    this.choose(row);
  }

  open(isOpen) {
    const row = this.current();
    const button = row?.querySelector(".fold-row");
    if (button && (button.getAttribute("aria-expanded") === "true") !== isOpen) return this.fold(row);
    if (!isOpen && row) this.choose(this.parent(row) ?? row);
    return undefined;
  }

  parent(row) {
    const before = this.rows.slice(0, this.rows.indexOf(row)).reverse();
    return before.find((one) => Number(one.dataset.depth) < Number(row.dataset.depth));
  }

  fold(row) {
    const button = row.querySelector(".fold-row");
    button.setAttribute("aria-expanded", String(button.getAttribute("aria-expanded") !== "true"));
    this.show();
  }

  foldAll(button) {
    const isFolded = button.getAttribute("aria-pressed") === "true";
    button.setAttribute("aria-pressed", String(!isFolded));
    button.textContent = isFolded ? "Fold" : "Unfold";
    this.setAll(isFolded);
  }

  setAll(isOpen) {
    for (const row of this.rows) {
      if (row.dataset.depth !== "0") row.querySelector(".fold-row")?.setAttribute("aria-expanded", String(isOpen));
    }
    this.show();
  }

  // rows below a folded one are hidden, however their own inner ones stand
  show() {
    let folded = Infinity;
    for (const row of this.rows) {
      const depth = Number(row.dataset.depth);
      if (depth <= folded) folded = Infinity;
      row.hidden = depth > folded;
      const isClosed = row.querySelector(".fold-row")?.getAttribute("aria-expanded") === "false";
      if (isClosed && folded === Infinity) folded = depth;
    }
  }
}

// Shows only the rows of the marked tables that have the typed letters in them.
function find(input) {
  const wanted = input.value.trim().toLowerCase();
  let shown = 0;
  for (const part of document.querySelectorAll(`[data-found="${input.dataset.find}"]`)) {
    const rows = [...part.querySelectorAll("tbody tr")];
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    const amount = rows.filter((row) => !row.hidden).length;
    part.hidden = amount === 0;
    shown += amount;
  }
  const nothing = document.querySelector(`[data-nothing="${input.dataset.find}"]`);
  if (nothing) nothing.hidden = shown > 0;
}

start();
