/** The vocabulary and merges of a checkpoint: tokenizer.json, or vocab.json and merges.txt. */
import { describeValue } from "../describe.js";
import { PlmError, quote } from "../errors.js";
import { TokenType } from "../tokenizer/vocabulary.js";
import { type AddedToken, addedTokensOf, readAddedTokens } from "./added-tokens.js";
import {
  type CheckpointFiles,
  invalidJson,
  isObject,
  type JsonFile,
  unsupportedJson,
  valuesOf,
} from "./files.js";
import { checkPipeline } from "./tokenizer-pipeline.js";

/** A vocabulary as its files list it. */
export interface CheckpointVocabulary {
  /** The file, for messages. */
  readonly name: string;
  /** Ids by text, in the byte-level alphabet. */
  readonly ids: ReadonlyMap<string, unknown>;
  /** "left right", in the order in which they apply. */
  readonly merges: readonly string[];
  readonly addedTokens: readonly AddedToken[];
}

/** Reads tokenizer.json, else vocab.json and merges.txt. Throws INVALID_FILE, UNSUPPORTED_FILE. */
export async function readVocabulary(
  files: CheckpointFiles,
  tokenizerConfig: JsonFile | undefined,
): Promise<CheckpointVocabulary> {
  const tokenizer = await files.json("tokenizer.json");
  if (tokenizer !== undefined) return fromTokenizerJson(tokenizer);
  const vocab = await files.json("vocab.json");
  if (vocab === undefined) {
    throw files.missing("tokenizer.json", "or vocab.json and merges.txt");
  }
  const merges = await files.text("merges.txt");
  if (merges === undefined) throw files.missing("merges.txt", "the merges of vocab.json");
  const added = await readAddedTokens(files, tokenizerConfig);
  return {
    name: vocab.name,
    ids: vocab.values,
    merges: mergesOfText(merges),
    addedTokens: added,
  };
}

function fromTokenizerJson(file: JsonFile): CheckpointVocabulary {
  const { name, values } = file;
  const model = values.get("model");
  if (!isObject(model)) {
    throw invalidJson(`${name}: model`, "an object", describeValue(model));
  }
  // Older files have no type.
  const { type = "BPE", vocab, merges } = model;
  if (type !== "BPE") throw unsupportedJson(`${name}: model.type`, '"BPE"', describeValue(type));
  checkPipeline(file, valuesOf(model));
  if (!isObject(vocab)) {
    throw invalidJson(`${name}: model.vocab`, "ids by text", describeValue(vocab));
  }
  if (!Array.isArray(merges)) {
    throw invalidJson(`${name}: model.merges`, "a list", describeValue(merges));
  }
  return {
    name,
    ids: new Map(Object.entries(vocab)),
    merges: merges.map((merge, i) => mergeOf(`${name}: model.merges[${i}]`, merge)),
    addedTokens: addedTokensOf(name, values.get("added_tokens")),
  };
}

/** A merge as one text, from a text or a pair. */
function mergeOf(where: string, merge: unknown): string {
  if (typeof merge === "string") return merge;
  const isPair = Array.isArray(merge) && merge.length === 2;
  const isText = isPair && merge.every((part) => typeof part === "string" && !part.includes(" "));
  if (isText) return merge.join(" ");
  throw invalidJson(where, "two texts", describeValue(merge));
}

/** One merge a line, behind a line with a version. */
function mergesOfText(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines[0].startsWith("#version")) lines.shift();
  return lines.filter((line) => line !== "");
}

/** GGUF's types of tokens, by id. */
export interface TokenList {
  readonly tokens: string[];
  readonly tokenTypes: Int32Array;
}

/** Tokens by id; ids without a token get `[PADn]`, as llama.cpp's converter has it. */
export function listTokens(
  { name, ids, addedTokens }: CheckpointVocabulary,
  vocabSize: number,
): TokenList {
  const tokens: (string | undefined)[] = new Array(vocabSize).fill(undefined);
  const tokenTypes = new Int32Array(vocabSize).fill(TokenType.unused);
  const set = (text: string, id: unknown, type: number): void => {
    const isId = typeof id === "number" && Number.isInteger(id) && id >= 0 && id < vocabSize;
    if (!isId) {
      const expected = `an id from 0 to ${vocabSize - 1} (vocab_size)`;
      throw invalidJson(`${name}: token ${quote(text)}`, expected, describeValue(id));
    }
    const before = tokens[id];
    if (before !== undefined && before !== text) {
      const message = `${name}: expected one token of id ${id}, got ${quote(before)}`;
      throw new PlmError("INVALID_FILE", `${message} and ${quote(text)}`);
    }
    tokens[id] = text;
    tokenTypes[id] = type;
  };
  for (const [text, id] of ids) set(text, id, TokenType.normal);
  for (const { content, id, isSpecial } of addedTokens) {
    set(content, id, isSpecial ? TokenType.control : TokenType.userDefined);
  }
  return { tokens: tokens.map((text, id) => text ?? paddingToken(id)), tokenTypes };
}

/** The text of an id that no token has. */
export function paddingToken(id: number): string {
  return `[PAD${id}]`;
}
