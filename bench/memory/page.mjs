// The page's side of run.mjs.
import { loadModel } from "/build/src/index.js";
import { measureUse } from "./measure.mjs";

globalThis.memory = {
  use(options) {
    return measureUse({ loadModel }, document.getElementById("model").files[0], options);
  },
};
