// Shows the page "no connection" for weeks of the report book, and nothing else:
// no page of anybody is ever kept. `page`, `files` and `name` stand above; a new
// look makes a new worker.
const all = [page, ...files];
self.addEventListener("install", (e) =>
  e.waitUntil(
    caches
      .open(name)
      .then((c) => c.addAll(all.map((f) => new Request(f, { credentials: "omit", cache: "reload" }))))
      .then(() => self.skipWaiting()),
  ),
);
self.addEventListener("activate", (e) =>
  e.waitUntil(
    caches
      .keys()
      .then((old) => Promise.all(old.filter((k) => k !== name).map((k) => caches.delete(k))))
      .then(() => self.clients.claim()),
  ),
);
self.addEventListener("fetch", (e) => {
  const path = new URL(e.request.url).pathname;
  if (e.request.mode === "navigate") e.respondWith(fetch(e.request).catch(() => caches.match(page)));
  else if (files.includes(path)) e.respondWith(caches.match(path).then((r) => r || fetch(e.request)));
});
