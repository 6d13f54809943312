// A program that leaves the threads' script to the package.
import { loadModel } from "plm-wasm";
import { report } from "./report.mjs";

const [path] = process.argv.slice(2);
report((options) => loadModel(path, options)).then(console.log);
