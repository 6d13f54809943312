/** The tokenizer's files of a folder. */
import { describeValue } from "../describe.js";
import { invalidArgument, PlmError, quote } from "../errors.js";
import type { TokenizerSource } from "../tokenizer/metadata.js";
import { TokenType } from "../tokenizer/vocabulary.js";
import type { AddedToken } from "./added-tokens.js";
import { DEFAULT_NAME } from "./chat-templates.js";
import { encodeJson } from "./export-config.js";
import { QWEN2_PATTERN } from "./tokenizer-pipeline.js";
import { paddingToken } from "./vocabulary.js";

/** The files of a vocabulary: tokenizer.json, or vocab.json and merges.txt. */
export const TOKENIZER_FORMS = ["json", "vocab"] as const;

export type TokenizerForm = (typeof TOKENIZER_FORMS)[number];

/** How white space around an added token is treated: it stays. */
const PLAIN = { single_word: false, lstrip: false, rstrip: false, normalized: false };

/**
 * Texts of the files by name. Unused tokens `[PADn]` are left out, as they come back from
 * vocab_size. Throws UNSUPPORTED_FILE for a token that comes twice.
 */
export function tokenizerFiles(
  source: TokenizerSource,
  form: TokenizerForm,
  contextLength: number,
): [name: string, text: string][] {
  if (!TOKENIZER_FORMS.includes(form)) {
    throw invalidArgument("tokenizer", TOKENIZER_FORMS.join(", "), describeValue(form));
  }
  const { vocab, added } = split(source);
  const config = tokenizerConfig(source, added, contextLength);
  const files: [string, string][] = [["tokenizer_config.json", encodeJson(config)]];
  if (source.chatTemplate !== undefined) files.push(["chat_template.jinja", source.chatTemplate]);
  if (form === "json") {
    files.push(["tokenizer.json", encodeJson(tokenizerJson(vocab, added, source.merges))]);
  } else {
    files.push(["vocab.json", JSON.stringify(vocab)]);
    files.push(["merges.txt", `${["#version: 0.2", ...source.merges].join("\n")}\n`]);
  }
  return files;
}

/** Ordinary tokens, and those that are recognised before text is split. */
function split({ tokens, tokenTypes }: TokenizerSource): {
  vocab: Record<string, number>;
  added: AddedToken[];
} {
  const seen = new Set<string>();
  const vocab: [string, number][] = [];
  const added: AddedToken[] = [];
  tokens.forEach((content, id) => {
    const type = tokenTypes[id];
    if (type === TokenType.unused && content === paddingToken(id)) return;
    if (seen.has(content)) {
      const message = `tokens: expected each text once, got ${quote(content)} twice`;
      throw new PlmError("UNSUPPORTED_FILE", message);
    }
    seen.add(content);
    const isSpecial = type === TokenType.control || type === TokenType.unknown;
    if (isSpecial || type === TokenType.userDefined) added.push({ id, content, isSpecial });
    else vocab.push([content, id]);
  });
  return { vocab: Object.fromEntries(vocab), added };
}

function tokenizerConfig(
  source: TokenizerSource,
  added: readonly AddedToken[],
  contextLength: number,
): object {
  const { tokens, namedChatTemplates = {}, chatTemplate } = source;
  const text = (id: number | undefined): string | null => (id === undefined ? null : tokens[id]);
  const ends = { eot_token: source.eotTokenId, eom_token: source.eomTokenId };
  const given = Object.entries(ends).filter(([, id]) => id !== undefined);
  const decoder = added.map(({ id, content, isSpecial }) => {
    return [id, { content, ...PLAIN, special: isSpecial }] as const;
  });
  const templates = Object.entries(namedChatTemplates).map(([name, template]) => {
    return { name, template };
  });
  if (templates.length > 0 && chatTemplate !== undefined) {
    templates.unshift({ name: DEFAULT_NAME, template: chatTemplate });
  }
  return {
    add_bos_token: source.addBosToken ?? false,
    add_prefix_space: false,
    added_tokens_decoder: Object.fromEntries(decoder),
    additional_special_tokens: added.filter((one) => one.isSpecial).map((one) => one.content),
    bos_token: text(source.bosTokenId),
    ...(templates.length > 0 && { chat_template: templates }),
    clean_up_tokenization_spaces: false,
    eos_token: text(source.eosTokenId),
    ...Object.fromEntries(given.map(([key, id]) => [key, text(id)])),
    errors: "replace",
    model_max_length: contextLength,
    pad_token: text(source.paddingTokenId),
    split_special_tokens: false,
    tokenizer_class: "Qwen2Tokenizer",
    unk_token: null,
  };
}

function tokenizerJson(
  vocab: Record<string, number>,
  added: readonly AddedToken[],
  merges: readonly string[],
): object {
  const byteLevel = {
    ...{ type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
  };
  const pattern = { Regex: QWEN2_PATTERN };
  const splitStep = { type: "Split", pattern, behavior: "Isolated", invert: false };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added.map(({ id, content, isSpecial }) => {
      return { id, content, ...PLAIN, special: isSpecial };
    }),
    normalizer: { type: "NFC" },
    pre_tokenizer: { type: "Sequence", pretokenizers: [splitStep, byteLevel] },
    post_processor: byteLevel,
    decoder: byteLevel,
    model: {
      ...{ type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: "" },
      ...{ end_of_word_suffix: "", fuse_unk: false, byte_fallback: false, ignore_merges: false },
      vocab,
      merges,
    },
  };
}
