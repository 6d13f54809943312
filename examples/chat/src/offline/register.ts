/** Starts the service worker in builds; a development server's files change too often. */
export async function registerServiceWorker(): Promise<void> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register("./service-worker.js");
  } catch (error) {
    // The page works without; a browser that refuses it also says so in its settings.
    console.info("no service worker:", error);
  }
}
