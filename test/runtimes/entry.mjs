// The conformance checks in the runtime that runs this file.
import { readFile } from "node:fs/promises";
import { runConformance } from "../../build/test/conformance.js";
import { MODEL, SAVED } from "./checks.mjs";

const { passed, failed } = await runConformance({
  file: new Uint8Array(await readFile(MODEL)),
  saved: new Uint8Array(await readFile(SAVED)),
  hasThreads: true,
  print: (line) => console.log(line),
});
console.log(`${passed} passed, ${failed} failed`);
