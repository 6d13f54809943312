// A process that uses a model once.
import { loadModel } from "plm-wasm";
import { measureUse } from "./measure.mjs";
import { memoryOf } from "./process-memory.mjs";

const [, , model, options] = process.argv;
const use = await measureUse({ loadModel }, model, JSON.parse(options));
console.log(JSON.stringify({ ...use, ...memoryOf(process.pid) }));
