/** Writes a model as the files of a Hugging Face folder: what open-model.ts reads. */
import { describeValue } from "../describe.js";
import { invalidArgument } from "../errors.js";
import type { Gguf } from "../format/gguf.js";
import { requireGlobal } from "../globals.js";
import { parseConfig } from "../model/config.js";
import { readTokenizerSource } from "../tokenizer/metadata.js";
import { configJson, generationConfigJson } from "./export-config.js";
import { type TokenizerForm, tokenizerFiles } from "./export-tokenizer.js";
import { type ExportedType, planWeights, weightsPieces } from "./export-weights.js";

/** One file of the folder. */
export interface ExportedFile {
  readonly name: string;
  /** In order; a piece is valid until the next is requested. */
  readonly pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** The form of the folder. */
export interface ExportOptions {
  /** What quantised tensors become; F32, F16 and BF16 stay as they are. Default "f32". */
  readonly dtype?: "f32" | "f16" | "bf16";
  /** tokenizer.json, or vocab.json and merges.txt; default "json". */
  readonly tokenizer?: TokenizerForm;
}

/** A folder to write. */
export interface ExportedFolder {
  readonly files: readonly ExportedFile[];
  readonly byteLength: number;
  /** Names of the tensors that change type. */
  readonly changed: readonly string[];
}

/**
 * The folder of a GGUF file, whose sources must be open while the pieces are read. Throws
 * INVALID_FILE and UNSUPPORTED_FILE for what could not be loaded, UNSUPPORTED_FILE for what a
 * folder cannot say.
 */
export function exportCheckpoint(
  gguf: Gguf,
  options: ExportOptions = {},
  signal?: AbortSignal,
): ExportedFolder {
  const { dtype = "f32", tokenizer: form = "json" } = options;
  const type = dtype.toUpperCase() as ExportedType;
  if (!["F32", "F16", "BF16"].includes(type)) {
    throw invalidArgument("dtype", "f32, f16 or bf16", describeValue(dtype));
  }
  const config = parseConfig(gguf.metadata);
  const tokenizer = readTokenizerSource(gguf.metadata);
  const weights = planWeights(gguf, config, type);
  const texts = new Map([
    ["config.json", configJson(gguf, config, tokenizer, weights.mainType)],
    ["generation_config.json", generationConfigJson(tokenizer)],
    ...tokenizerFiles(tokenizer, form, config.maxPositionEmbeddings),
  ]);
  const encoder = new (requireGlobal("TextEncoder"))();
  const files = Array.from(texts, ([name, text]) => ({ name, bytes: encoder.encode(text) }));
  const textBytes = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  return {
    files: [
      ...files.map(({ name, bytes }) => ({ name, pieces: [bytes] })),
      { name: "model.safetensors", pieces: weightsPieces(gguf, weights, signal) },
    ],
    byteLength: textBytes + weights.byteLength,
    changed: weights.changed,
  };
}
