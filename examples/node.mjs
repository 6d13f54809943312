// Text from a model file, in Node, Deno or Bun: node examples/node.mjs model.gguf "Once upon a
// time"
import { loadModel } from "plm-wasm";

const [path, prompt = "Once upon a time"] = process.argv.slice(2);
const model = await loadModel(path);
for await (const piece of model.generate(prompt, { maxTokens: 64, seed: 1 })) {
  process.stdout.write(piece);
}
process.stdout.write("\n");
