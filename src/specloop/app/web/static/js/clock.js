// Keeps the relative times of an open page true.
const EVERY_MS = 30_000;
const SPACE = "\u00a0";

export function startClock() {
  setInterval(() => {
    for (const time of document.querySelectorAll("time[data-ago]")) time.textContent = ago(new Date(time.dateTime));
  }, EVERY_MS);
}

function ago(moment) {
  const seconds = (Date.now() - moment) / 1000;
  const size = Math.abs(seconds);
  if (size < 45) return seconds >= 0 ? "just now" : "in a moment";
  for (const [limit, unit, name] of [[3600, 60, "min"], [86_400, 3600, "h"], [30 * 86_400, 86_400, "d"]]) {
    if (size < limit) {
      const amount = Math.max(1, Math.round(size / unit));
      return seconds >= 0 ? `${amount}${SPACE}${name} ago` : `in ${amount}${SPACE}${name}`;
    }
  }
  return moment.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}
