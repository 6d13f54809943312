/** Reads the tokenizer's entries of GGUF metadata. */
import { PlmError, quote } from "../errors.js";

/** What a tokenizer is made from. */
export interface TokenizerSource {
  /** Text of each token by id: in the byte-level alphabet if normal, else as it is. */
  tokens: readonly string[];
  /** GGUF token types: 1 normal, 3 control, 4 user-defined, 5 unused, 6 byte. */
  tokenTypes: ArrayLike<number>;
  /** "left right" in the byte-level alphabet, in the order in which they apply. */
  merges: readonly string[];
  bosTokenId?: number;
  eosTokenId?: number;
  paddingTokenId?: number;
  chatTemplate?: string;
}

type Metadata = ReadonlyMap<string, unknown>;

function invalid(key: string, expected: string, value: unknown): PlmError {
  const got = value === undefined ? "nothing" : Array.isArray(value) ? "an array" : typeof value;
  return new PlmError("INVALID_FILE", `${key}: expected ${expected}, got ${got}`);
}

function readName(metadata: Metadata, key: string, supported: string): void {
  const value = metadata.get(key);
  if (typeof value !== "string") throw invalid(key, "a string", value);
  if (value === supported) return;
  throw new PlmError("UNSUPPORTED_FILE", `${key}: expected "${supported}", got ${quote(value)}`);
}

function readStrings(metadata: Metadata, key: string): string[] {
  const value = metadata.get(key);
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw invalid(key, "an array of strings", value);
}

function readNumbers(metadata: Metadata, key: string): ArrayLike<number> {
  const value = metadata.get(key);
  if (Array.isArray(value) && value.every((item) => typeof item === "number")) return value;
  const isTyped = ArrayBuffer.isView(value) && !(value instanceof DataView);
  const array = isTyped ? (value as unknown as ArrayLike<number | bigint>) : [];
  if (typeof array[0] === "number") return array as ArrayLike<number>;
  throw invalid(key, "an array of numbers", value);
}

function readId(metadata: Metadata, key: string): number | undefined {
  const value = metadata.get(key);
  if (value === undefined || typeof value === "number") return value;
  throw invalid(key, "a number", value);
}

function readText(metadata: Metadata, key: string): string | undefined {
  const value = metadata.get(key);
  if (value === undefined || typeof value === "string") return value;
  throw invalid(key, "a string", value);
}

/**
 * The tokenizer of a GGUF file. Throws INVALID_FILE for entries that are missing or of another
 * type, UNSUPPORTED_FILE for another tokenizer than Qwen2's (model "gpt2", pre "qwen2").
 */
export function readTokenizerSource(metadata: Metadata): TokenizerSource {
  readName(metadata, "tokenizer.ggml.model", "gpt2");
  readName(metadata, "tokenizer.ggml.pre", "qwen2");
  return {
    tokens: readStrings(metadata, "tokenizer.ggml.tokens"),
    tokenTypes: readNumbers(metadata, "tokenizer.ggml.token_type"),
    merges: readStrings(metadata, "tokenizer.ggml.merges"),
    bosTokenId: readId(metadata, "tokenizer.ggml.bos_token_id"),
    eosTokenId: readId(metadata, "tokenizer.ggml.eos_token_id"),
    paddingTokenId: readId(metadata, "tokenizer.ggml.padding_token_id"),
    chatTemplate: readText(metadata, "tokenizer.chat_template"),
  };
}

/** Merges from which on a rank and a position in a word do not fit one exact number. */
const MAX_MERGES = 2 ** 21;

/**
 * Throws INVALID_FILE if the parts of `source` do not fit each other, UNSUPPORTED_FILE for 2^21
 * merges or more.
 */
export function checkTokenizerSource(source: TokenizerSource): void {
  const { tokens, tokenTypes, merges, eosTokenId, paddingTokenId } = source;
  if (merges.length >= MAX_MERGES) {
    const expected = `fewer than ${MAX_MERGES} merges`;
    throw new PlmError("UNSUPPORTED_FILE", `tokenizer: expected ${expected}, got ${merges.length}`);
  }
  if (tokenTypes.length !== tokens.length) {
    throw new PlmError(
      "INVALID_FILE",
      `tokenizer: expected ${tokens.length} token types, got ${tokenTypes.length}`,
    );
  }
  for (const [name, id] of Object.entries({ eosTokenId, paddingTokenId })) {
    if (id === undefined || (Number.isInteger(id) && id >= 0 && id < tokens.length)) continue;
    throw new PlmError("INVALID_FILE", `${name}: expected 0 to ${tokens.length - 1}, got ${id}`);
  }
}
