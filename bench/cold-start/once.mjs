// One cold start in a process of its own: node once.mjs MODEL
import { measureStart } from "./measure.mjs";

const load = () => import("plm-wasm");
console.log(JSON.stringify(await measureStart(load, process.argv[2])));
