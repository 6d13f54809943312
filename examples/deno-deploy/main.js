/** A server for Deno Deploy, with a model that is deployed beside it: deno serve main.js */
import { loadModel } from "plm-wasm";
import { createHandler } from "plm-wasm/server";

/** Called with an instance's first request. */
const model = () => loadModel(new URL("model.gguf", import.meta.url));

export default { fetch: createHandler({ model, log: console.log }) };
