// The page's side of run.mjs.
import { loadModel } from "/build/src/index.js";
import { measurePrefill, measureWaiting } from "./pauses.mjs";

globalThis.pauses = {
  prefill: (spec) => measurePrefill(loadModel, document.getElementById("model").files[0], spec),
  wait: measureWaiting,
};
