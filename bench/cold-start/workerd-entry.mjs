// A Worker that imports examples/cloudflare-worker with the first request that is for it.

export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname === "/ready") return new Response("ready");
    const { default: worker } = await import("./example.js");
    return worker.fetch(request, env, context);
  },
};
