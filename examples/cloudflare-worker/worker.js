/** A Cloudflare Worker that answers as OpenAI's API does, with a model in an R2 bucket. */
import { env, waitUntil } from "cloudflare:workers";
import { loadModel } from "plm-wasm";
import { createHandler } from "plm-wasm/server";
// Workers compile wasm when they are deployed and refuse to do so later.
import wasm from "plm-wasm/simd.wasm";

/** Called with an isolate's first request. */
async function model() {
  const file = await env.MODELS.get("model.gguf");
  if (file === null) throw new Error("the bucket has no model.gguf");
  return loadModel(file.body, { wasm, contextLength: 512, cacheTokens: 1024, maxSequences: 2 });
}

const fetch = createHandler({ model, waitUntil, log: console.log });
export default { fetch };
