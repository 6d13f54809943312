/** Reads the tokenizer's entries of GGUF metadata. */
import { describeValue, isList } from "../describe.js";
import { PlmError, quote } from "../errors.js";
import { TokenType } from "./vocabulary.js";

/** What a tokenizer is made from. */
export interface TokenizerSource {
  /** Text of each token by id: in the byte-level alphabet if normal, else as it is. */
  tokens: readonly string[];
  /** GGUF token types: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte. */
  tokenTypes: ArrayLike<number>;
  /** "left right" in the byte-level alphabet, in the order in which they apply. */
  merges: readonly string[];
  /** The token that begins a text. */
  bosTokenId?: number;
  /** The token that ends a text. */
  eosTokenId?: number;
  /** Tokens that end a text, where there are several; `eosTokenId` need not be among them. */
  eosTokenIds?: readonly number[];
  /** The token that ends a turn. */
  eotTokenId?: number;
  /** The token that ends a message, such as a call of a tool. */
  eomTokenId?: number;
  paddingTokenId?: number;
  /** Whether a prompt begins with the token `bosTokenId`; false by default. */
  addBosToken?: boolean;
  chatTemplate?: string;
  /** Chat templates for other ends, by name: `tool_use`, `rag`. */
  namedChatTemplates?: Readonly<Record<string, string>>;
  /** What was odd in the file that this was read from, and what was made of it, in sentences. */
  warnings?: readonly string[];
}

type Metadata = ReadonlyMap<string, unknown>;

/** The names under which llama.cpp knows the split pattern of Qwen2. */
const QWEN2_NAMES: readonly string[] = ["qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez"];

/** Reads entries, and collects what is odd without being an error. */
class EntryReader {
  readonly warnings: string[] = [];
  readonly #metadata: Metadata;

  constructor(metadata: Metadata) {
    this.#metadata = metadata;
  }

  /** The value of `tokenizer.ggml.NAME`; an array of one value is that value. */
  scalar(name: string): unknown {
    const value = this.#metadata.get(keyOf(name));
    return isList(value) && value.length === 1 ? value[0] : value;
  }

  /** Undefined where there is none. */
  text(name: string): string | undefined {
    const value = this.scalar(name);
    if (value === undefined || typeof value === "string") return value;
    throw invalid(name, "a string", value);
  }

  strings(name: string): string[] {
    const value = this.#metadata.get(keyOf(name));
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
    throw invalid(name, "an array of strings", value);
  }

  /** Texts of the keys that begin with `prefix`, by the rest of the key. */
  texts(prefix: string): Record<string, string> {
    const keys = [...this.#metadata.keys()].filter((key) => key.startsWith(prefix));
    return Object.fromEntries(keys.map((key) => [key.slice(prefix.length), this.text(key)!]));
  }

  /** Undefined where there is none; a single number is an array of one. */
  numbers(name: string): ArrayLike<number> | undefined {
    const found = this.#metadata.get(keyOf(name));
    if (found === undefined) return undefined;
    const value = typeof found === "number" || typeof found === "bigint" ? [found] : found;
    if (isList(value)) {
      if (typeof value[0] === "number" && !Array.isArray(value)) return value as ArrayLike<number>;
      const numbers = Array.from(value, (item) => (typeof item === "bigint" ? Number(item) : item));
      if (numbers.every((item) => typeof item === "number")) return numbers;
    }
    throw invalid(name, "an array of numbers", value);
  }

  flag(name: string): boolean {
    const value = this.scalar(name) ?? false;
    if (typeof value === "boolean") return value;
    if (value === 0 || value === 1 || value === 0n || value === 1n) return Number(value) === 1;
    throw invalid(name, "true or false", value);
  }

  /**
   * The id of one of `count` tokens, or undefined: for one out of range too, with a warning, as in
   * llama.cpp, which then falls back on token 11.
   */
  id(name: string, count: number): number | undefined {
    const value = this.scalar(name);
    if (value === undefined) return undefined;
    const isInteger = typeof value === "bigint" || Number.isInteger(value);
    if (!isInteger) throw invalid(name, "an integer", value);
    const id = Number(value);
    if (id >= 0 && id < count) return id;
    this.#warnOfRange(name, value, count);
    return undefined;
  }

  /** Ids as `id` reads one, those out of range left out with a warning; undefined without them. */
  ids(name: string, count: number): number[] | undefined {
    const values = this.numbers(name);
    if (values === undefined) return undefined;
    const ids = Array.from(values);
    const odd = ids.find((id) => !Number.isInteger(id));
    if (odd !== undefined) throw invalid(name, "integers", odd);
    const isKnown = (id: number): boolean => id >= 0 && id < count;
    const outside = ids.find((id) => !isKnown(id));
    if (outside !== undefined) this.#warnOfRange(name, outside, count);
    return ids.filter(isKnown);
  }

  #warnOfRange(name: string, value: unknown, count: number): void {
    this.warn(name, `expected 0 to ${count - 1}, got ${value}; ignored`);
  }

  warn(name: string, what: string): void {
    this.warnings.push(`${keyOf(name)}: ${what}`);
  }
}

function keyOf(name: string): string {
  return name.includes(".") ? name : `tokenizer.ggml.${name}`;
}

function invalid(name: string, expected: string, value: unknown): PlmError {
  const message = `${keyOf(name)}: expected ${expected}, got ${describeValue(value)}`;
  return new PlmError("INVALID_FILE", message);
}

function checkKind(reader: EntryReader): void {
  const model = reader.text("model");
  if (model === undefined) throw invalid("model", "a string", model);
  const pre = reader.text("pre");
  if (model !== "gpt2") throw unsupported("model", "gpt2", model);
  if (pre === undefined || pre === "") reader.warn("pre", `missing; taken for "qwen2"`);
  else if (!QWEN2_NAMES.includes(pre)) throw unsupported("pre", "qwen2", pre);
}

function unsupported(name: string, expected: string, got: string): PlmError {
  const message = `${keyOf(name)}: expected "${expected}", got ${quote(got)}`;
  return new PlmError("UNSUPPORTED_FILE", message);
}

/** Warns of what llama.cpp does with a file and this package does not. */
function warnOfOthers(reader: EntryReader): void {
  if (reader.flag("add_eos_token")) {
    reader.warn("add_eos_token", "no end token is added: a prompt is there to be continued");
  }
  const suppressed = reader.numbers("suppress_tokens");
  if (suppressed !== undefined && suppressed.length > 0) {
    reader.warn("suppress_tokens", "ignored: these tokens may be chosen");
  }
}

/**
 * The tokenizer of a GGUF file. Throws INVALID_FILE for entries that are missing or of another
 * type, UNSUPPORTED_FILE for another tokenizer than Qwen2's (model "gpt2", pre "qwen2").
 *
 * A file without `pre` is taken for Qwen2's, which is PLM's own; llama.cpp warns and splits such
 * text by a pattern of its own. Without token types, all tokens are normal, as in llama.cpp. Scores
 * are of no use in byte-pair encoding and are not read, nor is `add_sep_token`, which concerns
 * pairs of texts.
 */
export function readTokenizerSource(metadata: Metadata): TokenizerSource {
  const reader = new EntryReader(metadata);
  checkKind(reader);
  const tokens = reader.strings("tokens");
  const eosTokenIds = reader.ids("eos_token_ids", tokens.length);
  const named = reader.texts("tokenizer.chat_template.");
  const source = {
    tokens,
    tokenTypes:
      reader.numbers("token_type") ?? new Uint8Array(tokens.length).fill(TokenType.normal),
    merges: reader.strings("merges"),
    bosTokenId: reader.id("bos_token_id", tokens.length),
    eosTokenId: reader.id("eos_token_id", tokens.length),
    ...(eosTokenIds !== undefined && { eosTokenIds }),
    eotTokenId: reader.id("eot_token_id", tokens.length),
    eomTokenId: reader.id("eom_token_id", tokens.length),
    paddingTokenId: reader.id("padding_token_id", tokens.length),
    addBosToken: reader.flag("add_bos_token"),
    chatTemplate: reader.text("tokenizer.chat_template"),
    ...(Object.keys(named).length > 0 && { namedChatTemplates: named }),
  };
  warnOfOthers(reader);
  return { ...source, warnings: reader.warnings };
}

/** Merges from which on a rank and a position in a word do not fit one exact number. */
const MAX_MERGES = 2 ** 21;

/**
 * Throws INVALID_FILE if the parts of `source` do not fit each other, UNSUPPORTED_FILE for 2^21
 * merges or more.
 */
export function checkTokenizerSource(source: TokenizerSource): void {
  const { tokens, tokenTypes, merges, bosTokenId, eosTokenId, paddingTokenId } = source;
  if (merges.length >= MAX_MERGES) {
    const expected = `fewer than ${MAX_MERGES} merges`;
    throw new PlmError("UNSUPPORTED_FILE", `tokenizer: expected ${expected}, got ${merges.length}`);
  }
  if (tokens.length === 0) {
    throw new PlmError("INVALID_FILE", "tokenizer: expected one token or more, got none");
  }
  if (tokenTypes.length < tokens.length) {
    throw new PlmError(
      "INVALID_FILE",
      `tokenizer: expected ${tokens.length} token types, got ${tokenTypes.length}`,
    );
  }
  for (const [name, id] of Object.entries({ bosTokenId, eosTokenId, paddingTokenId })) {
    if (id === undefined || (Number.isInteger(id) && id >= 0 && id < tokens.length)) continue;
    throw new PlmError("INVALID_FILE", `${name}: expected 0 to ${tokens.length - 1}, got ${id}`);
  }
  if (source.addBosToken && bosTokenId === undefined) {
    throw new PlmError(
      "INVALID_FILE",
      "tokenizer: add_bos_token is true, expected a bos_token_id of the vocabulary, got none",
    );
  }
}
