// The page's side of run.mjs.
import { measureStart } from "./measure.mjs";

globalThis.coldStart = {
  measure(script, threadScript) {
    const file = document.getElementById("model").files[0];
    return measureStart(() => import(script), file, { threadScript });
  },
};
