/** A thread that sends an error of the package in every common way. */
import { parentPort } from "node:worker_threads";
import { loadModel, type PlmError } from "../../../src/index.js";

const error: PlmError = await loadModel(new Uint8Array(100)).catch((thrown) => thrown);
const caused: PlmError = await loadModel("missing.gguf").catch((thrown) => thrown);
parentPort!.postMessage({
  itself: error,
  caused,
  plain: error.toJSON(),
  json: JSON.stringify(error),
  // As Comlink and other remote calls do.
  parts: { name: error.name, message: error.message, stack: error.stack },
  other: new TypeError("INVALID_FILE: no error of the package"),
});
