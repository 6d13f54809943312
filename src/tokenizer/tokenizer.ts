/** The Qwen2 tokenizer: text to token ids and back. */
import { checkOptions } from "../brands.js";
import { describeValue, kindOf } from "../describe.js";
import { invalidArgument, PlmError } from "../errors.js";
import { requireGlobal } from "../globals.js";
import { Bpe } from "./bpe.js";
import { ByteBuffer } from "./bytes.js";
import { decodeUtf8, type IncrementalDecoder, incrementalDecoder } from "./decoder.js";
import { MergeTable } from "./merges.js";
import { checkTokenizerSource, readTokenizerSource, type TokenizerSource } from "./metadata.js";
import { normalizeNfc } from "./normalize.js";
import { piecesByType } from "./pieces.js";
import { endOfWord } from "./pretokenize.js";
import { SpecialTokens } from "./special.js";
import { Symbols } from "./symbols.js";
import { findTokenKinds } from "./token-kinds.js";
import { Vocabulary } from "./vocabulary.js";
import { WordCache } from "./word-cache.js";

export type { TokenizerSource } from "./metadata.js";

/** How text becomes tokens. */
export interface EncodeOptions {
  /**
   * Whether control tokens such as `<|im_start|>` and unknown ones are parsed in the text; false by
   * default. Text can become such a token all the same if merges make it.
   */
  special?: boolean;
  /**
   * Whether the begin token comes first if the file asks for it (`addBosToken`), as in prompts. It
   * is not doubled: its own text at the beginning, if parsed, is that token. False by default.
   */
  addBos?: boolean;
  /** Unicode normal form: "nfc" as in the official tokenizer, or "none" as in llama.cpp. */
  normalize?: "nfc" | "none";
}

/** How tokens become text. */
export interface DecodeOptions {
  /**
   * Whether control tokens are written out; true by default, as in transformers. Tokens that plain
   * text can become are text and always written out.
   */
  special?: boolean;
}

const NO_BYTES = new Uint8Array(0);

/** A tokenizer; it keeps no reference to its source. */
export class Tokenizer {
  readonly vocabSize: number;
  /** Tokens that end generation: the file's own, and well-known ones like `<|im_end|>`. */
  readonly eosTokenIds: ReadonlySet<number>;
  readonly bosTokenId: number | undefined;
  readonly paddingTokenId: number | undefined;
  /** Whether prompts begin with `bosTokenId`: `tokenizer.ggml.add_bos_token`. */
  readonly addBosToken: boolean;
  /**
   * Texts of the file's special tokens, by their names in transformers and chat templates:
   * `bos_token`, `eos_token`, `pad_token`.
   */
  readonly specialTokensMap: Readonly<Record<string, string>>;
  /** The file's Jinja template for conversations. */
  readonly chatTemplate: string | undefined;
  /** The file's templates for other purposes, by name: `tool_use` if there are tools, `rag`. */
  readonly namedChatTemplates: Readonly<Record<string, string>>;
  /** Oddities of the file and how they are read, in sentences; nearly always none. */
  readonly warnings: readonly string[];
  #vocabulary: Vocabulary;
  /** Bytes of the tokens that do not stand for what they spell. */
  #pieces: ReadonlyMap<number, Uint8Array<ArrayBuffer>>;
  #bpe: Bpe;
  #cache = new WordCache();
  /** Tokens that are not text. */
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
    this.addBosToken = source.addBosToken ?? false;
    this.chatTemplate = source.chatTemplate;
    this.namedChatTemplates = { ...source.namedChatTemplates };
    this.#vocabulary = new Vocabulary(tokens, tokenTypes);
    const symbols = new Symbols(this.#vocabulary);
    const merges = new MergeTable(symbols, source.merges);
    this.#bpe = new Bpe(symbols, merges);
    this.warnings = [...(source.warnings ?? []), ...merges.warnings, ...this.#bpe.warnings];

    const makes = (id: number): boolean => this.#bpe.makes(id);
    const kinds = findTokenKinds(source, makes);
    const { control, userDefined, markup, endIds } = kinds;
    this.#pieces = piecesByType(tokens, tokenTypes, kinds, makes);
    this.#controlIds = new Set(control.map(([id]) => id).filter((id) => !makes(id)));
    this.#userDefined = new SpecialTokens(userDefined);
    this.#special = new SpecialTokens([...control, ...userDefined, ...markup]);
    this.eosTokenIds = endIds;
    this.specialTokensMap = this.#specialTokensOf(source);
  }

  /**
   * Token ids of `text`; without `addBos` no token is added at either end. User-defined tokens are
   * always parsed, control tokens only with `special`. Lone surrogates become U+FFFD. Throws
   * INVALID_ARGUMENT if `text` is not a string or `normalize` is invalid.
   *
   * Tokens are parsed as in Hugging Face's tokenizers: from left to right, the longest wherever one
   * begins (llama.cpp looks for the longest token in the whole text first), in the text before
   * normalisation, with the white space around them kept. A GGUF file cannot say otherwise
   * (`normalized`, `lstrip`, `rstrip`, `single_word`).
   */
  encode(text: string, options: EncodeOptions = {}): number[] {
    if (typeof text !== "string") throw invalidArgument("text", "a string", kindOf(text));
    checkOptions(options);
    const { special = false, addBos = false, normalize = "nfc" } = options;
    if (normalize !== "nfc" && normalize !== "none") {
      throw invalidArgument("normalize", '"nfc" or "none"', describeValue(normalize));
    }
    const out: number[] = [];
    const matches = (special ? this.#special : this.#userDefined).match(text);
    if (addBos && this.addBosToken) {
      const isWritten = matches[0]?.start === 0 && matches[0].id === this.bosTokenId;
      if (!isWritten) out.push(this.bosTokenId!);
    }
    let from = 0;
    for (const match of matches) {
      this.#encodePlain(text.slice(from, match.start), normalize, out);
      out.push(match.id);
      from = match.end;
    }
    this.#encodePlain(from === 0 ? text : text.slice(from), normalize, out);
    return out;
  }

  /**
   * Text of `ids`; bytes that are not UTF-8 become U+FFFD. Throws INVALID_TOKEN, and
   * INVALID_ARGUMENT if it is not a list.
   */
  decode(ids: ArrayLike<number>, options: DecodeOptions = {}): string {
    if (!(Number.isSafeInteger(ids?.length) && ids.length >= 0)) {
      throw invalidArgument("ids", "a list of token ids", kindOf(ids));
    }
    checkOptions(options);
    const buffer = new ByteBuffer();
    for (let i = 0; i < ids.length; i++) buffer.push(this.#bytesToShow(ids[i], options));
    return decodeUtf8(buffer.bytes.subarray(0, buffer.length));
  }

  /**
   * A decoder that takes ids one at a time. It never returns half a character, and its pieces
   * together equal `decode` of the ids with the same options.
   */
  createDecoder(options: DecodeOptions = {}): IncrementalDecoder {
    checkOptions(options);
    return incrementalDecoder((id) => this.#bytesToShow(id, options));
  }

  /**
   * A copy of the bytes of token `id`; none for an unused token that text cannot become. Throws
   * INVALID_TOKEN.
   */
  tokenBytes(id: number): Uint8Array {
    return this.#bytesToShow(id, {}).slice();
  }

  /**
   * The bytes of all tokens' texts, one after the other: token t has the bytes `offsets[t]` to
   * `offsets[t + 1]`. A control token has none.
   */
  tokenTexts(): { bytes: Uint8Array; offsets: Uint32Array } {
    const buffer = new ByteBuffer();
    const offsets = new Uint32Array(this.vocabSize + 1);
    const own = new Set([...this.#pieces.keys(), ...this.#controlIds]);
    let next = 0;
    const copyUpTo = (end: number): void => {
      buffer.push(this.#vocabulary.bytesOf(next, end));
      for (; next < end; next++) {
        offsets[next + 1] = offsets[next] + this.#vocabulary.lengthOf(next);
      }
    };
    for (const id of [...own].sort((a, b) => a - b)) {
      copyUpTo(id);
      if (!this.#controlIds.has(id)) buffer.push(this.#pieces.get(id)!);
      offsets[id + 1] = buffer.length;
      next++;
    }
    copyUpTo(this.vocabSize);
    return { bytes: buffer.bytes.subarray(0, buffer.length), offsets };
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
    if (!special && this.#controlIds.has(id)) return NO_BYTES;
    return this.#pieces.get(id) ?? this.#vocabulary.bytesOf(id);
  }

  #encodePlain(text: string, normalize: "nfc" | "none", out: number[]): void {
    if (text === "") return;
    const bytes = new (requireGlobal("TextEncoder"))().encode(
      normalize === "nfc" ? normalizeNfc(text) : text,
    );
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
