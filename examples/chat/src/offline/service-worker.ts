/// <reference lib="webworker" />
/** Keeps the page's own files, so that it opens without a network. Models are kept elsewhere. */
export {};

declare const self: ServiceWorkerGlobalScope;

/** Both are filled in by the build. */
const BUILD = "__BUILD__";
const FILES: readonly string[] = JSON.parse("__FILES__");

const PREFIX = "plm-chat ";
const CACHE = PREFIX + BUILD;

self.addEventListener("install", (event) => {
  const keep = async (): Promise<void> => {
    const cache = await caches.open(CACHE);
    await cache.addAll(FILES.map((file) => new Request(file, { cache: "reload" })));
    await self.skipWaiting();
  };
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => {
  const takeOver = async (): Promise<void> => {
    const old = (await caches.keys()).filter((key) => key.startsWith(PREFIX) && key !== CACHE);
    await Promise.all(old.map((key) => caches.delete(key)));
    await self.clients.claim();
  };
  event.waitUntil(takeOver());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const isOwn = new URL(request.url).origin === self.location.origin;
  if (request.method !== "GET" || !isOwn || request.headers.has("range")) return;
  event.respondWith(answer(request));
});

/**
 * The page comes from the network while there is one, so that headers of its host are those of
 * today; its other files have names that change with their contents.
 */
async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const isPage = request.mode === "navigate";
  const kept = await cache.match(isPage ? "./" : request, { ignoreSearch: isPage });
  if (kept === undefined || !isPage) return kept ?? fetch(request);
  return fetch(request).catch(() => kept);
}
