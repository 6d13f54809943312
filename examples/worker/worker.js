/** A Cloudflare Worker that streams text from a model in an R2 bucket: GET /?prompt=Once+upon+a+time */
import { loadModel } from "plm-wasm";
// Workers compile wasm when they are deployed and refuse to do so later.
import wasm from "plm-wasm/simd.wasm";

/** The model is loaded once for each isolate and kept between requests. */
let loading;

async function load(bucket) {
  try {
    const file = await bucket.get("model.gguf");
    if (file === null) throw new Error("the bucket has no model.gguf");
    // A context for the prompt and 48 tokens, a session for each request at a time.
    return await loadModel(file.body, { wasm, contextLength: 96, cacheTokens: 4 * 96 });
  } catch (error) {
    loading = undefined;
    throw error;
  }
}

export default {
  async fetch(request, env) {
    const prompt = new URL(request.url).searchParams.get("prompt");
    if (!prompt) return new Response("expected ?prompt=TEXT\n", { status: 400 });
    loading ??= load(env.MODELS);
    try {
      const model = await loading;
      const generation = model.generate(prompt, { maxTokens: 48, seed: 1 });
      const body = ReadableStream.from(generation).pipeThrough(new TextEncoderStream());
      return new Response(body, { headers: { "content-type": "text/plain; charset=utf-8" } });
    } catch (error) {
      return new Response(`${error.message}\n`, { status: 503 });
    }
  },
};
