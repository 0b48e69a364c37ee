// Filter bars: a change of a choice, or a pause in typing, asks for the list again. Selects that open parts of a form.
const PAUSE_MS = 250;

export function startFilters() {
  let timer = 0;
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-filters] select")) event.target.form.requestSubmit();
  });
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-filters] input[type=search]")) return;
    clearTimeout(timer);
    timer = setTimeout(() => event.target.form.requestSubmit(), PAUSE_MS);
  });
}
