/* The residents' form: photos made small, the place by one tap, and nothing lost without a network. It all works without this. */
(function () {
  "use strict";
  const form = document.getElementById("report");
  if (!form || !window.fetch || !window.FormData || !window.Promise) return;
  const one = (what, from) => (from || document).querySelector(what);
  const all = (what, from) => Array.from((from || document).querySelectorAll(what));
  const words = form.dataset;
  const LONGEST = 1600, QUALITY = 0.82, MOST = Number(words.most), PATIENCE = 90000;
  const TEXTS = ["description", "address", "area", "reporter_name", "reporter_phone"];
  const DRAFTED = ["description", "address", "area"];  // a contact is kept only in what is about to be sent
  let shots = [], sending = false, notBefore = 0;
  all(".needs-script").forEach((button) => { button.hidden = false; });

  const state = one("#state");
  function say(text, bad) { state.textContent = text; state.hidden = !text; state.classList.toggle("bad", Boolean(bad)); }
  const field = (name) => form.elements[name];
  const value = (name) => (field(name) ? field(name).value : "");
  const topic = () => { const box = one("input[name=topic]:checked", form); return box ? box.value : ""; };
  function number() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64; bytes[8] = (bytes[8] & 63) | 128;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }

  /* What is kept on this phone: a draft, and what waits to be sent */
  const store = new Promise((done) => {
    try {
      const asked = indexedDB.open("anlan-resident", 1);
      asked.onupgradeneeded = () => { asked.result.createObjectStore("waiting", { keyPath: "id" }); asked.result.createObjectStore("draft"); };
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => done(null);
    } catch (error) { done(null); }
  });
  async function inStore(name, mode, deed) {
    const db = await store;
    if (!db) return null;
    return new Promise((done, fail) => {
      const deal = db.transaction(name, mode), asked = deed(deal.objectStore(name));
      deal.oncomplete = () => done(asked ? asked.result : null);
      deal.onabort = deal.onerror = () => fail(deal.error);
    });
  }
  const waiting = async () => (await inStore("waiting", "readonly", (box) => box.getAll())) || [];
  const forget = (id) => inStore("waiting", "readwrite", (box) => box.delete(id));

  /* Photos: upright and small before they travel */
  function drawn(file) {
    return new Promise((done) => {
      const url = URL.createObjectURL(file), image = new Image();
      const as = (blob) => { URL.revokeObjectURL(url); done(blob); };
      image.onerror = () => as(file);
      image.onload = () => {
        const scale = Math.min(1, LONGEST / Math.max(image.naturalWidth, image.naturalHeight));
        const sheet = document.createElement("canvas");
        sheet.width = Math.max(1, Math.round(image.naturalWidth * scale));
        sheet.height = Math.max(1, Math.round(image.naturalHeight * scale));
        const pen = sheet.getContext("2d");
        if (!pen) { as(file); return; }
        pen.fillStyle = "#fff"; pen.fillRect(0, 0, sheet.width, sheet.height);
        pen.drawImage(image, 0, 0, sheet.width, sheet.height);
        sheet.toBlob((blob) => as(blob || file), "image/jpeg", QUALITY);
      };
      image.src = url;
    });
  }
  const input = one("#photos");
  input.addEventListener("change", async () => {
    const files = Array.from(input.files);
    input.value = "";
    if (shots.length + files.length > MOST) say(words.sayMany.replace("{n}", MOST), true);
    for (const file of files.slice(0, Math.max(0, MOST - shots.length))) shots.push(await drawn(file));
    show();
    draft();
  });
  function show() {
    const box = one("#shots");
    all("img", box).forEach((image) => URL.revokeObjectURL(image.src));
    box.textContent = "";
    shots.forEach((blob, place) => {
      const frame = document.createElement("div"), image = document.createElement("img"), button = document.createElement("button");
      frame.className = "shot"; button.type = "button";
      image.src = URL.createObjectURL(blob); image.alt = words.sayPhoto;
      button.setAttribute("aria-label", words.sayRemove);
      button.addEventListener("click", () => { shots.splice(place, 1); show(); draft(); });
      frame.append(image, button); box.append(frame);
    });
  }

  /* The draft */
  let later = 0;
  function draft() {
    window.clearTimeout(later);
    later = window.setTimeout(() => {
      const kept = { id: value("client_id"), topic: topic(), lon: value("lon"), lat: value("lat"), shots: shots };
      DRAFTED.forEach((name) => { kept[name] = value(name); });
      inStore("draft", "readwrite", (box) => box.put(kept, "now")).catch(() => {});
    }, 300);
  }
  function clear() { window.clearTimeout(later); return inStore("draft", "readwrite", (box) => box.delete("now")).catch(() => {}); }
  function fill(kept) {
    field("client_id").value = kept.id;
    TEXTS.concat(["lon", "lat"]).forEach((name) => { if (field(name) && kept[name]) field(name).value = kept[name]; });
    const box = kept.topic && one('input[name=topic][value="' + CSS.escape(kept.topic) + '"]', form);
    if (box) { box.checked = true; const fold = box.closest("details"); if (fold) fold.open = true; }
    if (kept.area) field("area").closest("details").open = true;
    shots = kept.shots || [];
    show();
    if (kept.lon) spot(words.sayPinned);
  }
  async function begin() {
    const fresh = !one("[role=alert], .wrong", form);
    if (fresh) field("client_id").value = number();
    const kept = fresh ? await inStore("draft", "readonly", (box) => box.get("now")).catch(() => null) : null;
    if (kept && (kept.description || kept.address || (kept.shots || []).length)) { fill(kept); say(words.sayDraft); }
    flush();
  }

  /* The place */
  function spot(text) { const line = one("#spot"); line.textContent = text; line.hidden = false; }
  function placed(lon, lat) { field("lon").value = lon.toFixed(6); field("lat").value = lat.toFixed(6); pin(); near(); draft(); }
  one("#locate").addEventListener("click", () => {
    if (!navigator.geolocation) { spot(words.sayNowhere); return; }
    spot(words.sayLocating);
    navigator.geolocation.getCurrentPosition((found) => {
      spot(words.sayLocated.replace("{n}", Math.round(found.coords.accuracy)));
      placed(found.coords.longitude, found.coords.latitude);
    }, () => spot(words.sayNowhere), { enableHighAccuracy: true, timeout: 15000, maximumAge: 30000 });
  });
  const map = one("#map"), opener = one("#pin");
  opener.addEventListener("click", async () => {
    map.hidden = !map.hidden;
    opener.setAttribute("aria-expanded", String(!map.hidden));
    if (map.hidden || map.firstChild) return;
    try {
      const answer = await fetch(words.map + "?" + new URLSearchParams({ lon: value("lon"), lat: value("lat") }));
      if (answer.ok) { map.innerHTML = await answer.text(); chart(); }
    } catch (error) { say(words.sayWaiting); }
  });
  let view = null;
  function look() {
    const svg = one("#map-svg");
    svg.setAttribute("viewBox", [view.x, view.y, view.w, view.h].join(" "));
    svg.style.setProperty("--zoom", String(view.whole / view.w));
    pin();
  }
  function zoom(by, x, y) {
    const w = Math.min(view.whole, Math.max(view.whole / 200, view.w / by)), scale = w / view.w;
    view.x = x - (x - view.x) * scale; view.y = y - (y - view.y) * scale; view.w = w; view.h *= scale;
    look();
  }
  function pin() {
    const svg = one("#map-svg"), mark = one("#map-pin"), data = svg && svg.dataset;
    if (!svg || !value("lon")) return;
    const x = Number(data.margin) + (Number(value("lon")) - data.west) * data.perLon;
    const y = Number(data.margin) + (data.north - Number(value("lat"))) * data.perLat;
    mark.removeAttribute("hidden");
    mark.setAttribute("transform", "translate(" + x + " " + y + ") scale(" + 2 * view.w / view.whole + ")");
  }
  function chart() {
    const svg = one("#map-svg");
    if (!svg) return;
    const [x, y, w, h] = svg.getAttribute("viewBox").split(" ").map(Number);
    view = { x: x, y: y, w: w, h: h, whole: w };
    const at = (event) => {
      const spot_ = svg.createSVGPoint();
      spot_.x = event.clientX; spot_.y = event.clientY;
      return spot_.matrixTransform(svg.getScreenCTM().inverse());
    };
    let from = null, moved = false;
    svg.addEventListener("pointerdown", (event) => { from = at(event); moved = false; svg.setPointerCapture(event.pointerId); });
    svg.addEventListener("pointermove", (event) => {
      if (!from) return;
      const here = at(event);
      if (Math.hypot(here.x - from.x, here.y - from.y) < view.w / 60 && !moved) return;
      moved = true; view.x -= here.x - from.x; view.y -= here.y - from.y; look();
    });
    svg.addEventListener("pointerup", (event) => {
      if (from && !moved) {
        const here = at(event), data = svg.dataset;
        spot(words.sayPinned);
        placed(Number(data.west) + (here.x - data.margin) / data.perLon, data.north - (here.y - data.margin) / data.perLat);
      }
      from = null;
    });
    all("[data-zoom]", map).forEach((button) => button.addEventListener("click", () => zoom(Number(button.dataset.zoom), view.x + view.w / 2, view.y + view.h / 2)));
    pin();
  }

  /* Is it one of these? */
  let asked = "", looked = false;
  async function near() {
    const told = { lon: value("lon"), lat: value("lat"), topic: topic(), address: value("address"), area: value("area") };
    const query = String(new URLSearchParams(told));
    if (!(told.lon || told.address) || query === asked || !navigator.onLine) return;
    asked = query;
    try {
      const answer = await fetch(words.near + "?" + query);
      if (answer.ok && query === asked) { one("#near").innerHTML = await answer.text(); looked = false; }
    } catch (error) { asked = ""; }
  }

  /* The topic that the words name, as long as nobody has chosen one */
  let chosen = Boolean(topic());
  function guess() {
    if (chosen) return;
    const text = value("description").toLowerCase();
    let best = null, most = 0;
    all("input[name=topic]", form).forEach((box) => {
      const weight = box.dataset.words.toLowerCase().split("|").reduce((sum, word) => sum + (word && text.includes(word) ? (/[^\x00-\x7f]/.test(word) ? 2 : 1) * word.length : 0), 0);
      if (weight > most) { best = box; most = weight; }
    });
    if (!best) return;
    best.checked = true;
    const fold = best.closest("details");
    if (fold) fold.open = true;
  }
  form.addEventListener("input", draft);
  form.addEventListener("change", (event) => {
    if (event.target.name === "topic") chosen = true;
    if (event.target.name === "joins") looked = true;
    if (event.target.name === "description") guess();
    if (["topic", "address", "area", "description"].includes(event.target.name)) near();
    draft();
  });

  /* Sending: first kept here, then sent; once, for the server knows its number again */
  const join = () => { const box = one("input[name=joins]:checked", form); return box ? box.value : ""; };
  function message() {
    const told = { id: value("client_id"), told_at: new Date().toISOString(), topic: topic(), lon: value("lon"), lat: value("lat"), site: value("site"), joins: join(),
      kept: value("kept"), website: value("website"), may_share: field("may_share").checked ? "yes" : "", shots: shots };
    TEXTS.forEach((name) => { told[name] = value(name); });
    return told;
  }
  function parcel(told, token) {
    const data = new FormData();
    Object.keys(told).forEach((name) => { if (name !== "shots" && name !== "id" && told[name]) data.append(name, told[name]); });
    data.append("client_id", told.id);
    data.append("seen", "1");
    data.append("csrfmiddlewaretoken", token);
    told.shots.forEach((blob, place) => data.append("photos", blob, "photo-" + (place + 1) + ".jpg"));
    return data;
  }
  async function token() {
    const page = await (await fetch(form.action, { headers: { Accept: "text/html" } })).text();
    const found = new DOMParser().parseFromString(page, "text/html").querySelector("#report [name=csrfmiddlewaretoken]");
    return found ? found.value : "";
  }
  async function post(told, fresh) {
    const given = new AbortController(), end = window.setTimeout(() => given.abort(), PATIENCE);
    try {
      const answer = await fetch(form.action, { method: "POST", body: parcel(told, fresh || value("csrfmiddlewaretoken")), signal: given.signal, headers: { "X-Asked-By": "page", Accept: "application/json" } });
      if (answer.status === 403 && !fresh) { const again = await token(); if (again) return await post(told, again); }
      const ours = (answer.headers.get("Content-Type") || "").includes("json");
      if (answer.status === 429) notBefore = Date.now() + 1000 * Number(answer.headers.get("Retry-After") || 60);
      return { status: ours ? answer.status : 0, said: ours ? await answer.json() : null };
    } finally { window.clearTimeout(end); }
  }
  async function deliver() {
    const done = [];
    for (const told of await waiting()) {
      let answer;
      try { answer = navigator.onLine ? await post(told) : { status: -1 }; } catch (error) { answer = { status: -1 }; }
      if (answer.status === 201) { await forget(told.id); done.push(answer.said); continue; }
      const text = answer.said && answer.said.error && (document.documentElement.lang === "en" ? answer.said.error.en : answer.said.error.zh);
      if ([400, 409, 413, 422].includes(answer.status)) {
        await forget(told.id);
        fill(told);
        TEXTS.forEach((name) => { field(name).value = told[name] || field(name).value; });
        say(text, true);
        const wrong = answer.said.error.field && field(answer.said.error.field);
        if (wrong && wrong.focus) wrong.focus();
      } else say(answer.status === 429 ? text : answer.status === -1 ? words.sayWaiting : words.sayLater, answer.status === 429);
      break;
    }
    return done;
  }
  async function flush() {
    if (sending || Date.now() < notBefore || !(await waiting()).length) return;
    sending = true;
    const button = one("button[type=submit]", form);
    button.disabled = true;
    say(words.saySending);
    try {
      const run = () => deliver();
      const done = navigator.locks ? await navigator.locks.request("anlan-resident", run) : await run();
      if (done.length) await clear();
      if (done.length === 1 && !(await waiting()).length) { window.location.assign(done[0].next); return; }
      if (done.length) links(done);
    } finally { sending = false; button.disabled = false; }
  }
  function links(done) {
    say(words.saySent);
    done.forEach((each) => {
      const link = document.createElement("a");
      link.href = each.url; link.textContent = " " + each.code;
      state.append(link);
    });
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (sending) return;
    const told = message();
    if (!told.shots.length && !told.kept && !told.description.trim()) { say(words.sayNothing, true); field("description").focus(); return; }
    if (!told.lon && !told.address.trim() && !told.area && !told.site) { say(words.sayNoplace, true); one("#locate").focus(); return; }
    const close = one("#near fieldset");
    if (close && !looked) {  // nobody sends past it without having seen it, and nobody is asked twice
      looked = true;
      say(words.sayNear);
      close.scrollIntoView({ block: "center" });
      one("input", close).focus();
      return;
    }
    try {
      if (!(await store)) throw new Error("no store");
      await inStore("waiting", "readwrite", (box) => box.put(told));
    } catch (error) { plainly(); return; }
    await clear();
    state.scrollIntoView({ block: "nearest" });
    if (Date.now() < notBefore) say(words.sayLater);
    await flush();
    if ((await waiting()).some((each) => each.id === told.id)) empty();
  });
  /* A browser that keeps nothing sends the form as it would without this */
  function plainly() {
    const bag = new DataTransfer();
    shots.forEach((blob, place) => bag.items.add(new File([blob], "photo-" + (place + 1) + ".jpg", { type: "image/jpeg" })));
    input.files = bag.files;
    form.submit();
  }
  /* What waits here is safe; the form is free for the next one */
  function empty() {
    form.reset();
    shots = []; show(); chosen = false;
    one("#spot").hidden = true; one("#near").textContent = "";
    ["lon", "lat"].forEach((name) => { field(name).value = ""; });
    field("client_id").value = number();
    state.scrollIntoView({ block: "center" });
  }
  window.addEventListener("online", () => flush());
  document.addEventListener("visibilitychange", () => { if (!document.hidden) flush(); });
  window.setInterval(() => { if (navigator.onLine && !document.hidden) flush(); }, 30000);
  begin();
})();
