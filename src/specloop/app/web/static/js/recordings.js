// Recorded sessions: moving by keys, finding exchanges that are not on the page yet, and pages that follow new uploads.
const PULSE_MS = 4000;
const PULSE_MS_MAX = 60_000;

const typing = (event) =>
  event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog, [popover]");

document.addEventListener("keydown", (event) => {
  if (typing(event)) return;
  const step = { j: 1, k: -1 }[event.key];
  if (event.key === "/") focusSearch(event);
  else if (step && document.getElementById("reader")) moveExchange(step, event);
  else if (step && document.querySelector("[data-rows]")) moveRow(step, event);
});

function focusSearch(event) {
  const box = document.querySelector("[data-search]");
  if (!box) return;
  event.preventDefault();
  box.focus();
  box.select();
}

// lists: j and k move, Enter follows the link that has the focus
function moveRow(step, event) {
  const rows = [...document.querySelectorAll("[data-rows] a[data-row]")];
  if (!rows.length) return;
  event.preventDefault();
  const at = rows.indexOf(document.activeElement);
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1)];
  next.focus();
  next.closest("li, tr")?.scrollIntoView({ block: "nearest" });
}

// the reader: to the exchange after or before the one at the top of the window
function moveExchange(step, event) {
  event.preventDefault();
  const edge = topEdge();
  const all = [...document.querySelectorAll("[data-exchange]")];
  const tops = all.map((one) => one.getBoundingClientRect().top - edge);
  let at = step > 0 ? tops.findIndex((top) => top > 8) : tops.findLastIndex((top) => top < -8);
  const next = all[at];
  if (next) return show(next);
  if (step > 0) document.querySelector(".next-piece")?.dispatchEvent(new Event("load-now"));
  else document.querySelector(".earlier a")?.click();
}

function topEdge() {
  return parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop) || 0;
}

function show(exchange) {
  exchange.scrollIntoView({ block: "start" });
  exchange.focus({ preventScroll: true });
}

// links to exchanges: on this page when they are here, else the server sends the page that begins with them
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-to], a.exchange-number");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const target = document.getElementById(link.hash.slice(1));
  if (!target) return;
  event.preventDefault();
  history.replaceState(history.state, "", link.href);
  if (matchMedia("(max-width: 60rem)").matches) link.closest("details.side-fold")?.removeAttribute("open");
  show(target);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy-link]");
  if (button) button.dataset.copy = new URL(button.dataset.copyLink, location.href).href;
}, true);

function startReader() {
  const reader = document.getElementById("reader");
  if (!reader) return;
  const wanted = /^#e(\d+)$/.exec(location.hash);
  if (wanted && !document.getElementById(wanted[0].slice(1)) && new URLSearchParams(location.search).get("from") !== wanted[1]) {
    const address = new URL(location.href);
    address.searchParams.set("from", wanted[1]);
    address.searchParams.delete("skip");
    location.replace(address);
    return;
  }
  if (matchMedia("(max-width: 60rem)").matches) document.querySelector("details.side-fold")?.removeAttribute("open");
  let waiting = false;
  addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; markOutline(); });
  }, { passive: true });
  markOutline();
  addEventListener("hashchange", markOutline);
}

// the outline shows where one is
function markOutline() {
  const edge = topEdge() + 40;
  const at = [...document.querySelectorAll("[data-exchange]")].findLast((one) => one.getBoundingClientRect().top < edge);
  const id = at?.id ?? document.querySelector("[data-exchange]")?.id;
  for (const link of document.querySelectorAll("#outline a")) {
    const here = link.dataset.to === id;
    if (here === link.hasAttribute("aria-current")) continue;
    if (!here) link.removeAttribute("aria-current");
    else {
      link.setAttribute("aria-current", "true");
      const box = link.closest(".outline");
      if (box.scrollHeight > box.clientHeight) box.scrollTop = link.offsetTop - box.clientHeight / 3;
    }
  }
}

// pages that follow: a cheap question every few seconds while somebody looks, the answer is nearly always "unchanged"
function follow(element, changed) {
  let wait = PULSE_MS;
  let mark = `"${element.dataset.mark}"`;
  const ask = async () => {
    if (document.hidden) return schedule();
    try {
      const answer = await fetch(element.dataset.pulse, { headers: { "If-None-Match": mark }, cache: "no-store" });
      if (answer.status === 204) {
        mark = answer.headers.get("ETag") ?? mark;
        changed();
      } else if (answer.status !== 304) return;
      wait = PULSE_MS;
    } catch {
      wait = Math.min(wait * 2, PULSE_MS_MAX);
    }
    schedule();
  };
  const schedule = () => setTimeout(ask, wait);
  schedule();
}

function startFollowing() {
  const reader = document.getElementById("reader");
  if (reader?.dataset.pulse) follow(reader, () => document.querySelector("[data-tail]")?.dispatchEvent(new Event("grown")));
  const list = document.querySelector("[data-list-pulse]");
  if (list) {
    list.dataset.pulse = list.dataset.listPulse;
    follow(list, () => document.getElementById("results")?.dispatchEvent(new Event("renewed")));
  }
}

// what was unfolded stays so when the end of a session grows
document.addEventListener("htmx:beforeSwap", (event) => {
  const target = event.detail.target;
  if (!target?.matches?.("[data-tail]")) return;
  const open = [...target.querySelectorAll("details[open][data-key]")].map((one) => one.dataset.key);
  if (open.length) document.addEventListener("htmx:afterSettle", () => {
    for (const one of document.querySelectorAll("details[data-key]")) if (open.includes(one.dataset.key)) one.open = true;
  }, { once: true });
});

startReader();
startFollowing();
