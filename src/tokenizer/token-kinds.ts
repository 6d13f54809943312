/**
 * Which tokens are special, and which of them end an answer. The file's token types say so, but
 * many files type special tokens as normal: those that plain text cannot become.
 */
import type { TokenizerSource } from "./metadata.js";
import { isNormal, TokenType } from "./vocabulary.js";

/** A token's id and text. */
export type TokenText = [id: number, text: string];

/** The special tokens of a vocabulary by how they are treated. */
export interface TokenKinds {
  /** Parsed in text and written out on request. */
  readonly control: readonly TokenText[];
  /** Always parsed in text, and always written out. */
  readonly userDefined: readonly TokenText[];
  /** Parsed in text on request, and always written out: the chat templates' normal tokens. */
  readonly markup: readonly TokenText[];
  /** Tokens that end an answer: the file's own first, then others by id. */
  readonly endIds: ReadonlySet<number>;
}

/**
 * Texts that end an answer in any vocabulary, after llama.cpp's list without its tokens for
 * fill-in-the-middle.
 */
const END_TEXTS: ReadonlySet<string> = new Set([
  ...["<|endoftext|>", "<|end_of_text|>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>"],
  ...["<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>", "<turn|>"],
  ...["<end_of_utterance>", "<\uff5cend\u2581of\u2581sentence\uff5c>", "<EOT>", "_<EOT>", "[EOT]"],
  ...["</s>", "<eos>", "[EOS]"],
]);

/** Texts that only control tokens have: `<|user|>`. Numbered ones stand for data. */
const CONTROL_LOOK = /^<[|\uff5c][\p{L}_\u2581 -]+[|\uff5c]>$/u;

/** Texts of tokens of type byte: `<0x0A>`. */
export const BYTE_LOOK: RegExp = /^<0x([0-9A-Fa-f]{2})>$/;

/** How all of these texts begin: few tokens do, and the patterns take long for many. */
const LOOKS_BEGIN = "<[";

/** Texts that mark up a conversation if the chat template has them: `[INST]`, `<think>`. */
const MARKUP_LOOK = /^(?:<.+>|\[.+\])$/su;

/**
 * Classifies the special tokens. Control are tokens of type control or unknown and, of any other
 * type, those that plain text cannot become (`makes`) and that end an answer, begin or pad a text,
 * or look like `<|user|>`. A user-defined token that begins or pads a text stays user-defined, and
 * one of type byte stands for its byte.
 */
export function findTokenKinds(
  source: TokenizerSource,
  makes: (id: number) => boolean,
): TokenKinds {
  const { tokens, tokenTypes, chatTemplate = "", namedChatTemplates = {} } = source;
  const templates = [chatTemplate, ...Object.values(namedChatTemplates)];
  const isWritten = (text: string): boolean => templates.some((each) => each.includes(text));
  const ends = namedEndIds(source);
  const named = new Set([...ends, source.bosTokenId, source.paddingTokenId]);
  const control: TokenText[] = [];
  const userDefined: TokenText[] = [];
  const mistyped: TokenText[] = [];
  tokens.forEach((text, id) => {
    const type = tokenTypes[id];
    const isEnd = END_TEXTS.has(text) || ends.has(id);
    const isControl = type === TokenType.control || type === TokenType.unknown;
    if (isControl) control.push([id, text]);
    else if (type === TokenType.userDefined) (isEnd ? control : userDefined).push([id, text]);
    else if (type === TokenType.byte && BYTE_LOOK.test(text)) return;
    else if (isEnd || named.has(id)) mistyped.push([id, text]);
    else if (!isNormal(type)) return;
    else if (!LOOKS_BEGIN.includes(text.charAt(0))) return;
    else if (CONTROL_LOOK.test(text)) mistyped.push([id, text]);
    else if (MARKUP_LOOK.test(text) && isWritten(text)) mistyped.push([id, text]);
  });
  const markup: TokenText[] = [];
  for (const token of mistyped) {
    const [id, text] = token;
    if (makes(id)) continue;
    const isControl = named.has(id) || END_TEXTS.has(text) || CONTROL_LOOK.test(text);
    (isControl ? control : markup).push(token);
  }
  return { control, userDefined, markup, endIds: new Set([...ends, ...knownEndIds(control)]) };
}

/** The end tokens that the file names. Ids outside the vocabulary are ignored. */
function namedEndIds(source: TokenizerSource): Set<number> {
  const { tokens, eosTokenId, eotTokenId, eomTokenId, eosTokenIds = [] } = source;
  const ids = [eosTokenId, ...eosTokenIds, eotTokenId, eomTokenId];
  return new Set(ids.filter((id) => id !== undefined && tokens[id] !== undefined) as number[]);
}

/** The tokens with a text that ends an answer, by id. */
function knownEndIds(control: readonly TokenText[]): number[] {
  const ends = control.filter(([, text]) => END_TEXTS.has(text)).sort(([a], [b]) => a - b);
  const texts = new Set(ends.map(([, text]) => text));
  // There, <|end|> ends a message, and the answer continues with another.
  const hasMessages =
    (texts.has("<|return|>") && texts.has("<|call|>")) ||
    (texts.has("<|flush|>") && texts.has("<|calls|>"));
  return ends.filter(([, text]) => !(hasMessages && text === "<|end|>")).map(([id]) => id);
}
