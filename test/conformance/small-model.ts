/** The model of the conformance checks: a PLM of 110 kB that `plm init` makes from a seed. */
import { createRandomModel } from "../../src/cli/random-model.js";

/** Most tokens of a sequence. */
export const SMALL_CONTEXT = 96;

/**
 * The vocabulary is the first 29 merges of `plm init`'s, between the bytes and the special tokens:
 * 256 to 284 are pieces of " the a and of to in on with she he they it was had saw".
 */
export const SMALL_VOCAB_SIZE: number = 256 + 29 + 3;

/** The model's file; the same bytes in every runtime. */
export async function makeSmallModel(): Promise<Uint8Array<ArrayBuffer>> {
  const pieces = createRandomModel({
    layers: 2,
    hidden: 64,
    intermediate: 128,
    heads: 2,
    kvLoraRank: 32,
    nope: 32,
    rope: 32,
    vHead: 32,
    vocab: SMALL_VOCAB_SIZE,
    context: SMALL_CONTEXT,
    type: "q8_0",
    seed: 52,
  }) as Generator<Uint8Array<ArrayBuffer>>;
  return new Uint8Array(await new Blob([...pieces]).arrayBuffer());
}

/** The file with another architecture of three letters in its header. */
export function withArchitecture(file: Uint8Array, letters: string): Uint8Array<ArrayBuffer> {
  const changed = new Uint8Array(file);
  const key = "general.architecture";
  const start = new TextDecoder("latin1").decode(file.subarray(0, 1000)).indexOf(key);
  // After the key come the value's type, 4 bytes, and its length, 8 bytes.
  changed.set(new TextEncoder().encode(letters), start + key.length + 12);
  return changed;
}
