/** The Qwen2 vocabulary of ../shared, which is not part of the repository. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer, type TokenizerSource } from "../../../src/tokenizer/tokenizer.js";

const DATA = join(process.cwd(), "..", "shared", "data");
const FOLDER = join(DATA, "qwen2-tokenizer");

/** Text of a file of ../shared/data. */
export function readShared(path: string): string {
  return readFileSync(join(DATA, path), "utf8");
}

/** Whether `folder` of ../shared/data exists; if not, prints that its tests are skipped. */
export function hasShared(folder: string): boolean {
  const found = existsSync(join(DATA, folder));
  if (!found) console.log(`skipped: ../shared/data/${folder} is absent`);
  return found;
}

/** Tokens, types and merges of PLM-1.8B's GGUF files, padding tokens included. */
export function qwen2Source(): TokenizerSource {
  const vocab: Record<string, number> = JSON.parse(
    readFileSync(join(FOLDER, "vocab.json"), "utf8"),
  );
  const tokens: string[] = [];
  for (const [text, id] of Object.entries(vocab)) tokens[id] = text;
  const tokenTypes: number[] = tokens.map(() => 1);
  for (const special of ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]) {
    tokens.push(special);
    tokenTypes.push(3);
  }
  while (tokens.length < 151936) {
    tokens.push(`[PAD${tokens.length}]`);
    tokenTypes.push(5);
  }
  const lines = readFileSync(join(FOLDER, "merges.txt"), "utf8").split("\n");
  const merges = lines.slice(1).filter((line) => line !== "");
  return { tokens, tokenTypes, merges, eosTokenId: 151643, paddingTokenId: 151643 };
}

let tokenizer: Tokenizer | undefined;

/** The tokenizer, made once for each test file. */
export function qwen2(): Tokenizer {
  tokenizer ??= new Tokenizer(qwen2Source());
  return tokenizer;
}
