// The page's side of run.mjs.
import { loadModel } from "/build/src/index.js";
import { measureUse } from "./measure.mjs";

globalThis.memory = {
  /** Of the picked file, or of a URL. */
  use(options, source = document.getElementById("model").files[0]) {
    return measureUse({ loadModel }, source, options);
  },
};
