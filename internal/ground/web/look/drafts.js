// Drafts: what somebody writes stays on this device until the portal has it
// (decision 0025). An addition: every page that runs this works without it.
//
// A page writes one of
//   <form data-drafts="work instruction school" data-who="…" [data-saved]>   the fields to keep; data-saved: they
//                                                                            show what the portal has
//     <div data-draft="back" hidden>…</div>      what was typed here is in the fields again
//     <div data-draft="other" hidden>…<p data-draft-text></p><button type="button" data-draft-take>…</div>
//     <button type="button" data-draft-drop>     inside of either
//   <form data-drafts="…" data-offline hidden>   no connection: the page stands for any week
//   <p data-drafts-of="/reports/2026-W47">       the portal has that week now
// The text is encrypted with a key that no script can read out of this browser;
// signing out removes both (Clear-Site-Data), and so does somebody else's turn.
(() => {
  "use strict";
  if (!window.indexedDB || !window.crypto || !crypto.subtle) return;

  const kept = 7 * 24 * 3600 * 1000; // Safari forgets after seven days, so we do
  const weeks = /^\/reports\/(\d{4})-W(\d{2})$/;
  const here = location.pathname;
  const form = document.querySelector("form[data-drafts]");
  const names = form ? form.dataset.drafts.split(" ") : [];
  const areas = names.filter((n) => form.elements[n].type === "textarea"); // what was written, beside what was picked
  const find = (what) => document.querySelector(what);

  let open;
  const store = (name, mode, act) =>
    (open ||= new Promise((done, fail) => {
      const r = indexedDB.open("drafts", 1);
      r.onupgradeneeded = () => ["keys", "drafts"].forEach((s) => r.result.createObjectStore(s));
      r.onsuccess = () => done(r.result);
      r.onerror = () => fail(r.error);
    })).then(
      (db) =>
        new Promise((done, fail) => {
          const t = db.transaction(name, mode);
          const r = act(t.objectStore(name));
          t.oncomplete = () => done(r.result);
          t.onerror = t.onabort = () => fail(t.error);
        }),
    );
  const read = (name, key) => store(name, "readonly", (s) => s.get(key));
  const drop = (path) => store("drafts", "readwrite", (s) => s.delete(path));

  // The key belongs to one person: another's turn ends what the first one left.
  async function key(who) {
    let k = await read("keys", "key");
    if (k && who && k.who !== who) {
      await store("drafts", "readwrite", (s) => s.clear());
      k = null;
    }
    if (!k && who) {
      k = { who, key: await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]) };
      await store("keys", "readwrite", (s) => s.put(k, "key"));
    }
    return k && k.key;
  }

  const texts = () => Object.fromEntries(names.map((n) => [n, form.elements[n].value]));
  // The portal trims what it keeps; the page without a connection has fewer fields.
  const plain = (s) => (s || "").replace(/\s+$/gm, "").trim();
  const same = (a, b, fields = names) => fields.every((n) => !(n in a) || plain(a[n]) === plain(b[n]));
  const empty = (t) => areas.every((n) => !t[n]);

  async function keep(k, version, text) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, k, new TextEncoder().encode(JSON.stringify(text)));
    await store("drafts", "readwrite", (s) => s.put({ version, at: Date.now(), iv, data }, here));
  }

  async function recall(k) {
    const d = await read("drafts", here);
    if (!d) return null;
    try {
      const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv: d.iv }, k, d.data);
      return { ...d, text: JSON.parse(new TextDecoder().decode(text)) };
    } catch {
      await drop(here);
      return null;
    }
  }

  // From now on every pause in typing is kept; what equals the portal's text is
  // not. What a draft says of fields that this page lacks stays in it.
  function watch(k, version, stored, draft) {
    let timer;
    form.addEventListener("input", () => {
      clearTimeout(timer);
      delete form.dataset.kept;
      timer = setTimeout(() => {
        const text = { ...(draft && draft.text), ...texts() };
        const done = stored && same(text, stored) ? drop(here) : keep(k, version(), text);
        done.then(() => (form.dataset.kept = ""));
      }, 200);
    });
  }

  // What changes is shown, also when it is folded away.
  function fill(text) {
    for (const n of names) {
      const e = form.elements[n];
      if (!(n in text) || e.value === text[n]) continue;
      e.value = text[n];
      for (let d = e.closest("details"); d; d = d.parentElement.closest("details")) d.open = true;
    }
  }
  const show = (which) => (find(`[data-draft="${which}"]`).hidden = false);
  const when = (at) => new Date(at).toLocaleString(document.documentElement.lang, { weekday: "long", hour: "2-digit", minute: "2-digit" });

  async function editor() {
    const k = await key(form.dataset.who);
    const version = form.elements.version.value;
    const stored = "saved" in form.dataset ? texts() : null;
    const d = stored && (await recall(k));
    // A version later only texts are worth a question: "6,5" hours are "6:30" there.
    if (d && same(d.text, stored, d.version === version ? names : areas)) await drop(here);
    else if (d && (d.version === version || empty(stored))) {
      fill(d.text);
      show("back");
    } else if (d) {
      find("[data-draft-text]").textContent = areas.map((n) => d.text[n]).filter(Boolean).join("\n\n");
      show("other");
    }
    for (const p of document.querySelectorAll("[data-draft-at]")) if (d) p.textContent = when(d.at);
    for (const b of document.querySelectorAll("[data-draft-drop]"))
      b.addEventListener("click", async () => {
        await drop(here);
        fill(stored);
        for (const e of document.querySelectorAll("[data-draft]")) e.hidden = true;
        form.elements[names[0]].focus();
      });
    const take = find("[data-draft-take]");
    if (take)
      take.addEventListener("click", () => {
        fill(d.text);
        find('[data-draft="other"]').hidden = true;
        form.elements[names[0]].focus();
      });
    watch(k, () => version, stored);
    form.dataset.ready = "";
  }

  async function offline() {
    const k = await key();
    const week = here.match(weeks);
    if (k && week) {
      const d = await recall(k);
      if (d) fill(d.text);
      for (const e of document.querySelectorAll("[data-week]")) e.textContent = e.dataset.week.replace("{}", +week[2]);
      form.hidden = false;
      watch(k, () => (d ? d.version : ""), null, d);
    }
    const list = find("[data-drafts-list]");
    const keys = await store("drafts", "readonly", (s) => s.getAllKeys());
    const all = await store("drafts", "readonly", (s) => s.getAll());
    keys.forEach((path, n) => {
      const w = path.match(weeks);
      if (!w || path === here) return;
      const item = list.querySelector("template").content.cloneNode(true);
      const a = item.querySelector("a");
      a.href = path;
      a.textContent = a.dataset.week.replace("{}", +w[2]);
      item.querySelector("span").textContent = when(all[n].at);
      list.querySelector("ul").append(item);
      list.hidden = false;
    });
    form.dataset.ready = "";
  }

  async function tidy() {
    const keys = await store("drafts", "readonly", (s) => s.getAllKeys());
    const all = await store("drafts", "readonly", (s) => s.getAll());
    for (let n = 0; n < keys.length; n++) if (all[n].at < Date.now() - kept) await drop(keys[n]);
  }

  async function begin() {
    await tidy();
    const arrived = find("[data-drafts-of]");
    if (arrived) await drop(arrived.dataset.draftsOf);
    if (form) await ("offline" in form.dataset ? offline() : editor());
    if (form && !("offline" in form.dataset) && navigator.serviceWorker) await navigator.serviceWorker.register("/offline.js?in=" + document.documentElement.lang, { scope: "/reports" });
  }
  begin().catch(() => {}); // private windows may store nothing: then all is as without a script
})();
