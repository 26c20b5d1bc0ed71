/* The case screens. A part marked data-key="a" opens and takes the focus when "a" is pressed. */
(function () {
  "use strict";
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.target.closest("input, textarea, select")) return;
    const part = document.querySelector('[data-key="' + CSS.escape(event.key) + '"]');
    if (!part) return;
    event.preventDefault();
    if (part.tagName === "DETAILS") part.open = true;
    const field = part.querySelector("input:not([type=hidden]), select, textarea, button");
    if (field) field.focus();
    part.scrollIntoView({ block: "nearest" });
  });

  /* Whatever was done in the drawer is seen in the list behind it once the drawer is closed */
  let done = false;
  document.addEventListener("htmx:afterRequest", (event) => {
    const detail = event.detail;
    if (detail.requestConfig.verb === "post" && detail.successful && event.target.closest("#drawer")) done = true;
  });
  document.addEventListener("hidden.bs.offcanvas", () => { if (done) window.location.reload(); });
})();
