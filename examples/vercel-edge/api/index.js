/** A Vercel function of the edge runtime, with a model that it downloads. */
import { waitUntil } from "@vercel/functions";
import { loadModel } from "plm-wasm";
import { createHandler } from "plm-wasm/server";
// The edge runtime compiles wasm when it is deployed and refuses to do so later.
import wasm from "plm-wasm/simd.wasm?module";

export const config = { runtime: "edge" };

const options = { wasm, contextLength: 512, cacheTokens: 1024, maxSequences: 2 };

/** Called with an isolate's first request. */
const model = () => loadModel(process.env.MODEL_URL, options);

export default createHandler({ model, waitUntil, log: console.log });
