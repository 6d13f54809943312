// A page that is built together with plm-thread.mjs and plm-worker.mjs.
import { loadModel } from "plm-wasm";
import { show } from "./show.mjs";

const threadScript = "/plm-thread.mjs";
show((options) => loadModel("/plm-test.gguf", { ...options, threadScript }), "/plm-worker.mjs");
