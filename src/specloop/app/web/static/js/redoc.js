// Redoc over the product's own document. A classic script: it runs after the bundle beside it.
(() => {
  const place = document.getElementById("document");
  window.Redoc.init(place.dataset.openapi, { disableSearch: true, hideHostname: true, nativeScrollbars: true, hideDownloadButton: false }, place);
})();
