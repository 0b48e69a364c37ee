// A page that answers a form names its own address: reloading it must show the page again, not send the form again.
export function startAddress() {
  const own = document.querySelector("link[rel=canonical]");
  if (own) history.replaceState(history.state, "", `${own.getAttribute("href")}${location.search}${location.hash}`);
}
