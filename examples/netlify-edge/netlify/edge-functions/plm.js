/** A Netlify edge function, with a model that it downloads. */
import { loadModel } from "plm-wasm";
import { createHandler } from "plm-wasm/server";

export const config = { path: "/*" };

/** Called with an isolate's first request. */
const model = () => loadModel(Netlify.env.get("MODEL_URL"), { contextLength: 512 });

export default createHandler({ model, log: console.log });
