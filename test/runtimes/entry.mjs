// The conformance checks in the runtime that runs this file.
import { runConformance } from "../../build/test/conformance.js";

const { passed, failed } = await runConformance({
  hasThreads: true,
  print: (line) => console.log(line),
});
console.log(`${passed} passed, ${failed} failed`);
