/** Starts the service worker in builds; a development server's files change too often. */
export async function registerServiceWorker(): Promise<void> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register("./service-worker.js");
  } catch (error) {
    // The page works without, as long as there is a network.
    console.info("no service worker:", error);
  }
}
