{% load static %}// Shows what is pushed, and a notice while there is no connection. It keeps no page: what one may see, the server decides.
const KEPT = "aos-offline-1";
const NOTICE = "{% url 'offline' %}";
const FILES = ["{% static 'aos/css/aos.css' %}", "{% static 'aos/img/icon.svg' %}", "{% static 'aos/js/theme.js' %}"];

self.addEventListener("install", (event) => {
  const files = [NOTICE, ...FILES].map((address) => new Request(address, { credentials: "omit" }));
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(files)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name !== KEPT).map((name) => caches.delete(name));
  event.waitUntil(caches.keys().then((names) => Promise.all(old(names))).then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  if (event.request.mode === "navigate") {
    event.respondWith(fetch(event.request).catch(() => caches.match(NOTICE)));
  } else if (FILES.includes(new URL(event.request.url).pathname)) {
    event.respondWith(fetch(event.request).catch(() => caches.match(event.request, { ignoreSearch: true })));
  }
});

self.addEventListener("push", (event) => {
  let told = {};
  try {
    told = event.data.json();
  } catch {
    told = {};
  }
  const shown = { body: told.body || "", tag: told.tag || "aos", icon: "{% static 'aos/img/icon-192.png' %}", data: { link: told.link } };
  event.waitUntil(self.registration.showNotification(told.title || "Autonomy OS", shown));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const link = new URL(event.notification.data?.link || "/escalations", self.location.origin);
  if (link.origin === self.location.origin) event.waitUntil(self.clients.openWindow(link.href));
});
