/* The frame's behaviour: keyboard, drawer, filters that apply themselves, confirmations. Every page works without it. */
(function () {
  "use strict";
  const wide = () => window.matchMedia("(min-width: 1200px)").matches;
  const all = (what, from) => Array.from((from || document).querySelectorAll(what));
  const one = (what, from) => (from || document).querySelector(what);

  /* Rows: j k move, Enter opens */
  let here = -1;
  function rows() { return all("main [data-row]").filter((row) => row.offsetParent !== null); }
  function go(step) {
    const list = rows();
    if (!list.length) return;
    here = Math.min(list.length - 1, Math.max(0, here + step));
    list.forEach((row, i) => row.classList.toggle("here", i === here));
    const link = one("a.lead", list[here]);
    if (link) link.focus({ preventScroll: true });
    list[here].scrollIntoView({ block: "nearest" });
  }
  function typing(target) { return target.closest("input, textarea, select, [contenteditable]"); }
  function help() { const sheet = one("#help"); if (sheet && !sheet.open) sheet.showModal(); }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    if (event.key === "/") {
      const box = one("#search") && one("#search").offsetParent ? one("#search") : one("main input[type=search]");
      if (box) { event.preventDefault(); box.focus(); box.select(); }
    } else if (event.key === "j") go(1);
    else if (event.key === "k") go(-1);
    else if (event.key === "?") { event.preventDefault(); help(); }
    else if (event.key === "Escape") closeDrawer();
    else if (event.key === "Enter" && here >= 0 && event.target === document.body) {
      const link = rows()[here] && one("a.lead", rows()[here]);
      if (link) link.click();
    }
  });

  /* Details open in a drawer on a wide screen, and always as a page of their own */
  function openDrawer(link) {
    const drawer = one("#drawer");
    one("#drawer-page").href = link.href;
    window.htmx.ajax("GET", link.href, { target: "#drawer-body", swap: "innerHTML" }).then(() => {
      const title = one("#drawer-body [data-title]");
      one("#drawer-title").textContent = title ? title.dataset.title : link.textContent.trim();
      window.bootstrap.Offcanvas.getOrCreateInstance(drawer).show();
      draw(one("#drawer-body"));
    });
  }
  function closeDrawer() {
    const drawer = one("#drawer.show");
    if (drawer) window.bootstrap.Offcanvas.getOrCreateInstance(drawer).hide();
  }
  /* Who opens it by keyboard is inside it, and is back on the row when it closes */
  document.addEventListener("shown.bs.offcanvas", (event) => event.target.focus());
  document.addEventListener("hidden.bs.offcanvas", () => {
    const link = rows()[here] && one("a.lead", rows()[here]);
    if (link) link.focus({ preventScroll: true });
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-drawer]");
    if (link && wide() && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0 && window.htmx) {
      event.preventDefault();
      here = rows().indexOf(link.closest("[data-row]"));
      openDrawer(link);
      return;
    }
    if (event.target.closest("[data-help]")) help();
    if (event.target.closest("[data-print]")) window.print();
    const closer = event.target.closest("[data-close]");
    if (closer) closer.closest("dialog").close();
    const opener = event.target.closest("[data-dialog]");
    if (opener) { const sheet = document.getElementById(opener.dataset.dialog); if (sheet) { event.preventDefault(); sheet.showModal(); } }
    const copier = event.target.closest("[data-copy]");
    if (copier) copy(copier);
    const chooser = event.target.closest("[data-choose]");
    const chosen = chooser && document.getElementById(chooser.dataset.choose);
    if (chosen) { chosen.value = chooser.dataset.value; chosen.dispatchEvent(new Event("change", { bubbles: true })); chosen.focus(); }
  });

  function copy(button) {
    const text = button.dataset.copy === "here" ? window.location.href : button.dataset.copy;
    const done = () => say(button.dataset.done || text);
    if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(text).then(done, () => say(text));
    else say(text);
  }
  function say(text) {
    const line = one("#said");
    line.textContent = text;
    line.hidden = false;
    window.setTimeout(() => { line.hidden = true; }, 4000);
  }

  /* Filters apply themselves when a choice changes; empty ones stay out of the address */
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-auto]");
    if (form && event.target.matches("select, input[type=checkbox], input[type=date]")) form.requestSubmit();
    if (event.target.matches("[data-all]")) {
      all(event.target.dataset.all).forEach((box) => { box.checked = event.target.checked; });
    }
    if (event.target.matches("[data-pick], [data-all]")) {
      const count = all("[data-pick]:checked").length;
      all("[data-picked]").forEach((spot) => { spot.textContent = count; });
      all("[data-when-picked]").forEach((spot) => { spot.hidden = count === 0; });
    }
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("form[data-auto]")) all("input, select", form).forEach((box) => { if (!box.value) box.disabled = true; });
    if (form.method === "post" && !form.hasAttribute("data-again")) {
      window.setTimeout(() => all("button[type=submit]", form).forEach((b) => { b.disabled = true; }), 0);
    }
  });
  window.addEventListener("pageshow", () => {
    all("form [disabled]").forEach((box) => { if (!box.hasAttribute("data-off")) box.disabled = false; });
  });

  /* The person's position, when a form asks for it */
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-locate]");
    if (!button || !navigator.geolocation) return;
    navigator.geolocation.getCurrentPosition((spot) => {
      const form = button.closest("form");
      one("[name=lon]", form).value = spot.coords.longitude.toFixed(6);
      one("[name=lat]", form).value = spot.coords.latitude.toFixed(6);
      say(button.dataset.done);
    }, () => say(button.dataset.failed), { enableHighAccuracy: true, timeout: 10000 });
  });

  function draw(part) { if (window.anlanCharts) window.anlanCharts(part || document); }
  document.addEventListener("DOMContentLoaded", () => {
    draw(document);
    const wrong = one(".is-wrong input, .is-wrong select, .is-wrong textarea");
    if (wrong) wrong.focus();
    const filters = one(".filters > details");
    if (filters && window.matchMedia("(min-width: 768px)").matches) filters.open = true;
  });
  document.addEventListener("htmx:afterSwap", (event) => draw(event.target));
})();
