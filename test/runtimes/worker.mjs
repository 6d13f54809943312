// The conformance checks as a Worker: answers with the lines and counts as JSON.
import wasm from "../../build/simd.wasm";
import { runConformance } from "../../build/test/conformance.js";

export default {
  async fetch() {
    const lines = [];
    const counts = await runConformance({
      wasm,
      hasThreads: false,
      print: (line) => lines.push(line),
    });
    return Response.json({ lines, ...counts });
  },
};
