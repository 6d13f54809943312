/** Training texts, cut into documents and tokenised once. */
import { PlmError } from "../../errors.js";
import type { Tokenizer } from "../../tokenizer/tokenizer.js";

/** A tokenised text. */
export interface TokenizedText {
  readonly name: string;
  /** Its documents in a row, each followed by the end-of-text token. */
  readonly tokens: Uint16Array | Uint32Array;
  /** Where each document ends in `tokens`, its end-of-text token included. */
  readonly ends: Uint32Array;
  /** UTF-8 bytes of the documents, without separators, for bits per byte. */
  readonly bytes: number;
  /** A hash of tokens and ends: a resumed run must find the same text. */
  readonly fingerprint: number;
}

/** The longest string that all engines can hold. */
const MOST_BYTES = 2 ** 29 - 24;

/** Vocabularies up to this size take two bytes a token. */
const MAX_16_BITS = 1 << 16;

function refuse(name: string, expected: string, got: string, cause?: unknown): PlmError {
  const message = `text ${name}: expected ${expected}, got ${got}`;
  return new PlmError("INVALID_CONFIG", message, { cause });
}

/**
 * The text in a file's bytes, without a byte order mark. Throws INVALID_CONFIG for a file that is
 * empty or blank, is not UTF-8, or has zero bytes.
 */
export function decodeText(name: string, bytes: Uint8Array): string {
  if (bytes.length > MOST_BYTES) {
    throw refuse(name, `at most ${MOST_BYTES} bytes`, `${bytes.length}: divide it`);
  }
  const zero = bytes.indexOf(0);
  if (zero >= 0) throw refuse(name, "text", `a binary file (a zero byte at ${zero})`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw refuse(name, "UTF-8", "bytes that are not", cause);
  }
  if (text.trim() === "") throw refuse(name, "text", "an empty file");
  return text;
}

/**
 * The documents of a text: the parts between separators that are not blank, without line breaks at
 * either end; the whole unchanged text if it has no separator. Throws INVALID_CONFIG without
 * documents.
 */
export function splitDocuments(name: string, text: string, separator?: string): string[] {
  if (separator === undefined) return [text];
  const documents = text
    .split(separator)
    .map(withoutOuterBreaks)
    .filter((document) => document.trim() !== "");
  if (documents.length === 0) throw refuse(name, "documents", "nothing but separators");
  return documents;
}

/** One pass: a pattern that ends in `$` would try every run of breaks in the text. */
function withoutOuterBreaks(text: string): string {
  const isBreak = (at: number): boolean => text[at] === "\n" || text[at] === "\r";
  let [first, end] = [0, text.length];
  while (first < end && isBreak(first)) first++;
  while (first < end && isBreak(end - 1)) end--;
  return text.slice(first, end);
}

/**
 * Tokenises documents, each followed by the token `eos`. Special tokens in the text are plain text.
 * `onProgress` receives the number of documents done.
 */
export function tokenizeDocuments(
  name: string,
  documents: readonly string[],
  tokenizer: Pick<Tokenizer, "encode" | "vocabSize">,
  eos: number,
  onProgress: (documents: number) => void = () => {},
): TokenizedText {
  const list = new TokenList(tokenizer.vocabSize);
  const ends = new Uint32Array(documents.length);
  const encoder = new TextEncoder();
  let bytes = 0;
  documents.forEach((document, i) => {
    bytes += encoder.encode(document).length;
    list.push(tokenizer.encode(document));
    list.push([eos]);
    ends[i] = list.length;
    onProgress(i + 1);
  });
  const tokens = list.tokens.slice(0, list.length);
  return { name, tokens, ends, bytes, fingerprint: fingerprintOf(tokens, ends) };
}

/** A growing array of tokens. */
class TokenList {
  tokens: Uint16Array | Uint32Array;
  length = 0;

  constructor(vocabSize: number) {
    this.tokens = vocabSize <= MAX_16_BITS ? new Uint16Array(4096) : new Uint32Array(4096);
  }

  push(ids: readonly number[]): void {
    if (this.length + ids.length > this.tokens.length) {
      const size = Math.max(this.length + ids.length, this.tokens.length * 2);
      const longer =
        this.tokens instanceof Uint16Array ? new Uint16Array(size) : new Uint32Array(size);
      longer.set(this.tokens);
      this.tokens = longer;
    }
    this.tokens.set(ids, this.length);
    this.length += ids.length;
  }
}

/** FNV-1a over whole numbers instead of bytes. */
function fingerprintOf(...lists: (Uint16Array | Uint32Array)[]): number {
  let hash = 0x811c9dc5;
  for (const list of lists) {
    for (let i = 0; i < list.length; i++) hash = Math.imul(hash ^ list[i], 0x01000193);
  }
  return hash >>> 0;
}
