// Light, dark or the system's choice, at once and kept in a cookie; without script the same form is posted.
const YEAR_SECONDS = 365 * 24 * 3600;

export function startTheme() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-theme-form]") || !event.submitter) return;
    event.preventDefault();
    choose(event.submitter.value);
    for (const button of form.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button === event.submitter));
    }
  });
}

function choose(theme) {
  document.documentElement.dataset.theme = theme;
  const secure = location.protocol === "https:" ? ";secure" : "";
  document.cookie = `specloop_theme=${theme};path=/;max-age=${YEAR_SECONDS};samesite=lax${secure}`;
}
