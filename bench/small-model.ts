/** The 100 MB model for the benches of threads and reloading, and builds to load it with. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createRandomModel, DEFAULT_RANDOM_MODEL } from "../src/cli/random-model.js";
import type { loadModel } from "../src/index.js";

const DIMS = { hidden: 768, intermediate: 3840, heads: 12, vocab: 4096, context: 2048 };

/** A GGUF file in Q8_0; 12 layers are about 100 MB. */
export function smallModel(layers = 12): Buffer {
  return Buffer.concat([...createRandomModel({ ...DEFAULT_RANDOM_MODEL, ...DIMS, layers })]);
}

/** `loadModel` of another build's folder. */
export async function loaderOf(build: string): Promise<typeof loadModel> {
  const url = pathToFileURL(resolve(build, "src/index.js")).href;
  return ((await import(url)) as { loadModel: typeof loadModel }).loadModel;
}
