// Copying: an element with data-copy puts that text on the clipboard and says so; data-copy-near names the element
// beside it whose text is meant, so that long texts are not in the page twice.
const SHOWN_MS = 1600;

export function startCopy() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-near]");
    if (!button) return;
    const copied = await write(button.dataset.copy ?? near(button));
    const label = button.querySelector("[data-copy-label]");
    button.classList.toggle("copied", copied);
    if (label) label.textContent = copied ? "Copied" : "Select and copy";
    setTimeout(() => {
      button.classList.remove("copied");
      if (label) label.textContent = "Copy";
    }, SHOWN_MS);
  });
}

function near(button) {
  return button.closest("[data-copied]").querySelector(button.dataset.copyNear).textContent;
}

// The clipboard API is missing on plain-HTTP origins other than loopback.
async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
