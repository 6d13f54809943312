/** The Qwen2 tokenizer: text to token ids and back. */
import { PlmError, quote } from "../errors.js";
import { Bpe } from "./bpe.js";
import { ByteBuffer } from "./bytes.js";
import { WordCache } from "./cache.js";
import { decodeUtf8, type IncrementalDecoder, incrementalDecoder } from "./decoder.js";
import { MergeTable } from "./merges.js";
import { checkTokenizerSource, readTokenizerSource, type TokenizerSource } from "./metadata.js";
import { normalizeNfc } from "./normalize.js";
import { endOfWord } from "./pretokenize.js";
import { SpecialTokens } from "./special.js";
import { TokenType, Vocabulary } from "./vocabulary.js";

export type { TokenizerSource } from "./metadata.js";

/** How text becomes tokens. */
export interface EncodeOptions {
  /** Whether control tokens such as `<|im_start|>` are parsed in the text; false by default. */
  special?: boolean;
  /** Unicode normal form: "nfc" as the official tokenizer has it, or "none" as llama.cpp. */
  normalize?: "nfc" | "none";
}

/** How tokens become text. */
export interface DecodeOptions {
  /** Whether control tokens are written out, as transformers does by default; true by default. */
  special?: boolean;
}

/** Tokens that end a turn or a text in ChatML models, where the vocabulary has them. */
const END_TOKENS = ["<|endoftext|>", "<|im_end|>"];

const NO_BYTES = new Uint8Array(0);

/** A tokenizer; it keeps no reference to what it was made from. */
export class Tokenizer {
  readonly vocabSize: number;
  /** Tokens after which generation ends: the file's own, `<|endoftext|>` and `<|im_end|>`. */
  readonly eosTokenIds: ReadonlySet<number>;
  readonly bosTokenId: number | undefined;
  readonly paddingTokenId: number | undefined;
  /**
   * Texts of the file's special tokens, by the names that transformers and chat templates have for
   * them: `bos_token`, `eos_token`, `pad_token`.
   */
  readonly specialTokensMap: Readonly<Record<string, string>>;
  /** The file's Jinja template for conversations. */
  readonly chatTemplate: string | undefined;
  #vocabulary: Vocabulary;
  #bpe: Bpe;
  #cache = new WordCache();
  #controlIds: ReadonlySet<number>;
  #userDefined: SpecialTokens;
  #special: SpecialTokens;

  /**
   * The tokenizer of a GGUF file by its metadata. Throws INVALID_FILE if entries are missing or do
   * not fit each other, UNSUPPORTED_FILE if `tokenizer.ggml.model` and `.pre` are not Qwen2's.
   */
  static fromMetadata(metadata: ReadonlyMap<string, unknown>): Tokenizer {
    return new Tokenizer(readTokenizerSource(metadata));
  }

  /** Throws INVALID_FILE if the parts of `source` do not fit each other. */
  constructor(source: TokenizerSource) {
    checkTokenizerSource(source);
    const { tokens, tokenTypes } = source;
    this.vocabSize = tokens.length;
    this.bosTokenId = source.bosTokenId;
    this.paddingTokenId = source.paddingTokenId;
    this.chatTemplate = source.chatTemplate;
    this.#vocabulary = new Vocabulary(tokens, tokenTypes);
    this.#bpe = new Bpe(this.#vocabulary, new MergeTable(this.#vocabulary, source.merges));

    const control: [number, string][] = [];
    const userDefined: [number, string][] = [];
    tokens.forEach((text, id) => {
      if (tokenTypes[id] === TokenType.control) control.push([id, text]);
      if (tokenTypes[id] === TokenType.userDefined) userDefined.push([id, text]);
    });
    const special = [...control, ...userDefined];
    this.#controlIds = new Set(control.map(([id]) => id));
    this.#userDefined = new SpecialTokens(userDefined);
    this.#special = new SpecialTokens(special);
    const ends = special.filter(([, text]) => END_TOKENS.includes(text)).map(([id]) => id);
    this.eosTokenIds = new Set(
      source.eosTokenId === undefined ? ends : [source.eosTokenId, ...ends],
    );
    this.specialTokensMap = this.#specialTokensOf(source);
  }

  /**
   * Token ids of `text`; no token is added at either end. User-defined tokens are always parsed,
   * control tokens with `special`. Lone surrogates become U+FFFD. Throws INVALID_ARGUMENT if `text`
   * is not a string or `normalize` is neither.
   */
  encode(text: string, options: EncodeOptions = {}): number[] {
    if (typeof text !== "string") {
      throw new PlmError("INVALID_ARGUMENT", `text: expected a string, got ${typeof text}`);
    }
    const { special = false, normalize = "nfc" } = options;
    if (normalize !== "nfc" && normalize !== "none") {
      const got = quote(String(normalize));
      throw new PlmError("INVALID_ARGUMENT", `normalize: expected "nfc" or "none", got ${got}`);
    }
    const out: number[] = [];
    let from = 0;
    for (const match of (special ? this.#special : this.#userDefined).match(text)) {
      this.#encodePlain(text.slice(from, match.start), normalize, out);
      out.push(match.id);
      from = match.end;
    }
    this.#encodePlain(from === 0 ? text : text.slice(from), normalize, out);
    return out;
  }

  /**
   * Text of `ids`; bytes that are not UTF-8 become U+FFFD. Throws INVALID_TOKEN, and
   * INVALID_ARGUMENT for what is no list.
   */
  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    if (!(Number.isSafeInteger(ids?.length) && ids.length >= 0)) {
      const got = `${typeof ids} of length ${ids?.length}`;
      throw new PlmError("INVALID_ARGUMENT", `ids: expected a list of token ids, got ${got}`);
    }
    const buffer = new ByteBuffer();
    for (let i = 0; i < ids.length; i++) buffer.push(this.#bytesToShow(ids[i], options));
    return decodeUtf8(buffer.bytes.subarray(0, buffer.length));
  }

  /**
   * A decoder that takes ids one at a time. It never gives half a character, and its pieces
   * together are `decode` of the ids with the same options.
   */
  createDecoder(options: DecodeOptions = {}): IncrementalDecoder {
    return incrementalDecoder((id) => this.#bytesToShow(id, options));
  }

  /** A copy of the bytes of token `id`; none for an unused token. Throws INVALID_TOKEN. */
  tokenBytes(id: number): Uint8Array {
    return this.#bytesToShow(id, {}).slice();
  }

  #specialTokensOf({ bosTokenId, eosTokenId, paddingTokenId }: TokenizerSource) {
    const ids = { bos_token: bosTokenId, eos_token: eosTokenId, pad_token: paddingTokenId };
    const texts: Record<string, string> = {};
    for (const [name, id] of Object.entries(ids)) {
      if (id !== undefined && id < this.vocabSize) texts[name] = this.decode([id]);
    }
    return texts;
  }

  #bytesToShow(id: number, { special = true }: DecodeOptions): Uint8Array<ArrayBuffer> {
    if (!Number.isInteger(id) || id < 0 || id >= this.vocabSize) {
      const range = `0 to ${this.vocabSize - 1}`;
      throw new PlmError("INVALID_TOKEN", `token: expected an integer, ${range}, got ${id}`);
    }
    return special || !this.#controlIds.has(id) ? this.#vocabulary.bytesOf(id) : NO_BYTES;
  }

  #encodePlain(text: string, normalize: "nfc" | "none", out: number[]): void {
    if (text === "") return;
    const bytes = new TextEncoder().encode(normalize === "nfc" ? normalizeNfc(text) : text);
    for (let start = 0; start < bytes.length; ) {
      const end = endOfWord(bytes, start, bytes.length);
      const place = this.#cache.placeOf(bytes, start, end);
      if (place < 0) this.#bpe.encode(bytes, start, end, out);
      else if (!this.#cache.read(place, bytes, start, end, out)) {
        const from = out.length;
        this.#bpe.encode(bytes, start, end, out);
        this.#cache.write(place, bytes.subarray(start, end), out, from);
      }
      start = end;
    }
  }
}
