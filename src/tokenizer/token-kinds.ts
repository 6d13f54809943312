/**
 * Which tokens are special, and which of them end an answer. The file's token types say it, but
 * many files type special tokens as normal; there, they are those that plain text cannot become.
 */
import type { TokenizerSource } from "./metadata.js";
import { isNormal, TokenType } from "./vocabulary.js";

/** A token's id and text. */
export type TokenText = [id: number, text: string];

/** The special tokens of a vocabulary by what is done with them. */
export interface TokenKinds {
  /** Parsed in text and written out on request. */
  readonly control: readonly TokenText[];
  /** Parsed in text always, and written out always. */
  readonly userDefined: readonly TokenText[];
  /** Parsed in text on request, and written out always: the chat templates' own normal tokens. */
  readonly markup: readonly TokenText[];
  /** What ends an answer: the file's own first, then others by id. */
  readonly endIds: ReadonlySet<number>;
}

/**
 * Texts that end an answer in whichever vocabulary they are, after llama.cpp's list; its tokens of
 * fill-in-the-middle are left out.
 */
const END_TEXTS: ReadonlySet<string> = new Set([
  ...["<|endoftext|>", "<|end_of_text|>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>"],
  ...["<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>", "<turn|>"],
  ...["<end_of_utterance>", "<\uff5cend\u2581of\u2581sentence\uff5c>", "<EOT>", "_<EOT>", "[EOT]"],
  ...["</s>", "<eos>", "[EOS]"],
]);

/** Texts that no other token than a control token has: `<|user|>`. Numbered ones stand for data. */
const CONTROL_LOOK = /^<[|\uff5c][\p{L}_\u2581 -]+[|\uff5c]>$/u;

/** Texts of tokens of type byte: `<0x0A>`. */
export const BYTE_LOOK: RegExp = /^<0x([0-9A-Fa-f]{2})>$/;

/** Texts that mark up a conversation where the chat template has them: `[INST]`, `<think>`. */
const MARKUP_LOOK = /^(?:<.+>|\[.+\])$/su;

/**
 * Sorts the special tokens out. Control: those of that type or unknown, and, of any other type,
 * what plain text cannot become (`makes`) and ends an answer, begins or pads a text, or looks like
 * `<|user|>`. A user-defined token that begins or pads a text stays user-defined, and one of type
 * byte stands for its byte.
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

/** The ends that the file names. An id that is not in the vocabulary names nothing. */
function namedEndIds(source: TokenizerSource): Set<number> {
  const { tokens, eosTokenId, eotTokenId, eomTokenId, eosTokenIds = [] } = source;
  const ids = [eosTokenId, ...eosTokenIds, eotTokenId, eomTokenId];
  return new Set(ids.filter((id) => id !== undefined && tokens[id] !== undefined) as number[]);
}

/** Those whose text ends an answer, by id. */
function knownEndIds(control: readonly TokenText[]): number[] {
  const ends = control.filter(([, text]) => END_TEXTS.has(text)).sort(([a], [b]) => a - b);
  const texts = new Set(ends.map(([, text]) => text));
  // There, <|end|> ends a message, after which the answer goes on with another.
  const hasMessages =
    (texts.has("<|return|>") && texts.has("<|call|>")) ||
    (texts.has("<|flush|>") && texts.has("<|calls|>"));
  return ends.filter(([, text]) => !(hasMessages && text === "<|end|>")).map(([id]) => id);
}
