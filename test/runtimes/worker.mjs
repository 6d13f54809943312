// The conformance checks as a Worker that receives the model: answers with lines and counts.
import wasm from "../../build/simd.wasm";
import { runConformance } from "../../build/test/conformance.js";

export default {
  async fetch(request) {
    const lines = [];
    const form = await request.formData();
    const bytesOf = async (name) => new Uint8Array(await form.get(name).arrayBuffer());
    const counts = await runConformance({
      file: await bytesOf("file"),
      saved: await bytesOf("saved"),
      wasm,
      hasThreads: false,
      worker: false,
      print: (line) => lines.push(line),
    });
    return Response.json({ lines, ...counts });
  },
};
