// Swagger UI over the product's own document. A classic script: it runs after the bundle beside it.
(() => {
  const place = document.getElementById("document");
  window.ui = window.SwaggerUIBundle({
    url: place.dataset.openapi,
    domNode: place,
    deepLinking: true,
    docExpansion: "none",
    filter: true,
    validatorUrl: null,
    persistAuthorization: false,
    tryItOutEnabled: false,
  });
})();
