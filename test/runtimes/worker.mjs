// The conformance checks as a Worker that receives the model: answers with lines and counts.
import wasm from "../../build/simd.wasm";
import { runConformance } from "../../build/test/conformance.js";

export default {
  async fetch(request) {
    const lines = [];
    const counts = await runConformance({
      file: new Uint8Array(await request.arrayBuffer()),
      wasm,
      hasThreads: false,
      print: (line) => lines.push(line),
    });
    return Response.json({ lines, ...counts });
  },
};
