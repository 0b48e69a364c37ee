// Notices leave by themselves after a while, unless somebody reads them with the pointer or the keyboard.
const SHOWN_MS = 7000;

export function startToasts() {
  for (const toast of document.querySelectorAll(".toast")) {
    let timer = setTimeout(() => toast.remove(), SHOWN_MS);
    const stay = () => clearTimeout(timer);
    toast.addEventListener("pointerenter", stay);
    toast.addEventListener("focusin", stay);
    toast.querySelector("[data-dismiss]")?.addEventListener("click", () => toast.remove());
  }
}
