/** The mini models of ../shared/reference, which are not part of the repository. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(process.cwd(), "..", "shared", "reference");

/** A mini model and other engines' results for it. */
export interface Reference {
  file: Uint8Array;
  tokens: number[];
  vocab: number;
  /** f32[tokens, vocab] from float arithmetic. */
  logits: Float32Array;
  greedy24: number[];
  /** Share of zero activations of each layer. */
  zeroShare: number[];
  /** Mean KL of llama.cpp's logits, in nats. */
  llamaCppKl: number;
}

/** Names of the mini models; none, after a printed line, where the folder is absent. */
export function referenceNames(print: (line: string) => void = console.log): string[] {
  if (!existsSync(FOLDER)) {
    print("skipped: ../shared/reference is absent");
    return [];
  }
  return Object.keys(readIndex());
}

/** A mini model by its name; undefined, after a printed line, where the folder is absent. */
export function readReference(name: string): Reference | undefined {
  if (!referenceNames().includes(name)) return undefined;
  const entry = readIndex()[name];
  const bytes = Uint8Array.from(readFileSync(join(FOLDER, `${name}.logits.f32`)));
  return {
    file: readFileSync(join(FOLDER, `${name}.gguf`)),
    tokens: entry.tokens,
    vocab: entry.vocab,
    logits: new Float32Array(bytes.buffer),
    greedy24: entry.greedy24,
    zeroShare: entry.zero_share,
    llamaCppKl: entry.llama_cpp.kl_mean,
  };
}

/** An entry of reference.json. */
interface IndexEntry {
  tokens: number[];
  vocab: number;
  greedy24: number[];
  zero_share: number[];
  llama_cpp: { kl_mean: number };
}

function readIndex(): Record<string, IndexEntry> {
  return JSON.parse(readFileSync(join(FOLDER, "reference.json"), "utf8"));
}
