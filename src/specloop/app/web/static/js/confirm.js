// Typed confirmations: the button wakes when the name is right. The server checks the same again.
export function startConfirm() {
  document.addEventListener("input", (event) => {
    const input = event.target;
    const wanted = input.dataset?.mustEqual;
    if (wanted !== undefined) input.setCustomValidity(input.value === wanted ? "" : `Type ${wanted}`);
  });
  // a second press on a form that is already on its way would do the work twice
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
}
