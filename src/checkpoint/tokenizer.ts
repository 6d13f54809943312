/** The tokenizer of a checkpoint, from its several files. */
import { describeValue } from "../describe.js";
import { quote } from "../errors.js";
import type { TokenizerSource } from "../tokenizer/metadata.js";
import { readChatTemplates } from "./chat-templates.js";
import { type CheckpointFiles, invalidJson, isObject, type JsonFile } from "./files.js";
import { listTokens, readVocabulary } from "./vocabulary.js";

/** The largest id that GGUF's lists of ids can hold. */
const MAX_ID = 2 ** 31 - 1;

/** Reads ids of special tokens by their texts. */
class SpecialIds {
  readonly #ids = new Map<string, number>();
  readonly #files: readonly (JsonFile | undefined)[];
  readonly #tokenizerConfig: JsonFile | undefined;

  /** `files` have ids under `X_token_id`, and count where tokenizer_config.json has no text. */
  constructor(
    tokens: readonly string[],
    tokenizerConfig: JsonFile | undefined,
    files: readonly (JsonFile | undefined)[],
  ) {
    tokens.forEach((text, id) => {
      this.#ids.set(text, id);
    });
    this.#tokenizerConfig = tokenizerConfig;
    this.#files = files;
  }

  /** The id of the token `bos`, `eos` or another; the first of a list; undefined without one. */
  find(kind: string): number | undefined {
    const key = `${kind}_token`;
    const value = this.#tokenizerConfig?.values.get(key);
    const text = isObject(value) ? value.content : value;
    if (text === undefined) return this.#findById(`${key}_id`);
    const id = typeof text === "string" ? this.#ids.get(text) : undefined;
    if (id !== undefined) return id;
    const where = `${this.#tokenizerConfig!.name}: ${key}`;
    throw invalidJson(where, "a token of the vocabulary", describeValue(text));
  }

  #findById(key: string): number | undefined {
    for (const file of this.#files) {
      const ids = tokenIdsOf(file, key);
      if (ids !== undefined) return ids[0];
    }
    return undefined;
  }
}

/**
 * Reads the tokenizer's files; `vocabSize` is config.json's. The end tokens are those of
 * generation_config.json. Throws INVALID_FILE and UNSUPPORTED_FILE, naming the file.
 */
export async function readTokenizer(
  files: CheckpointFiles,
  config: JsonFile,
  vocabSize: number,
): Promise<TokenizerSource> {
  const tokenizerConfig = await files.json("tokenizer_config.json");
  const generation = await files.json("generation_config.json");
  const vocabulary = await readVocabulary(files, tokenizerConfig);
  const { tokens, tokenTypes } = listTokens(vocabulary, vocabSize);
  const special = new SpecialIds(tokens, tokenizerConfig, [config, generation]);
  const eosTokenId = special.find("eos");
  const eosTokenIds = tokenIdsOf(generation, "eos_token_id");
  const isSame = eosTokenIds?.length === 1 && eosTokenIds[0] === eosTokenId;
  return {
    tokens,
    tokenTypes,
    merges: vocabulary.merges,
    ...idsOf({
      bosTokenId: special.find("bos"),
      eosTokenId,
      eotTokenId: special.find("eot"),
      eomTokenId: special.find("eom"),
      paddingTokenId: special.find("pad"),
    }),
    ...(eosTokenIds !== undefined && !isSame && { eosTokenIds }),
    addBosToken: readFlag(tokenizerConfig, "add_bos_token"),
    ...(await readChatTemplates(files, tokenizerConfig)),
  };
}

/** Without the keys that have no id. */
function idsOf(ids: Record<string, number | undefined>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(ids).filter((entry): entry is [string, number] => entry[1] !== undefined),
  );
}

function readFlag(file: JsonFile | undefined, key: string): boolean {
  const value = file?.values.get(key) ?? false;
  if (typeof value === "boolean") return value;
  throw invalidJson(`${file!.name}: ${key}`, "true or false", describeValue(value));
}

/**
 * One id or a list of them; undefined without the key. Ids beyond the vocabulary are kept: the
 * tokenizer ignores them with a warning.
 */
function tokenIdsOf(file: JsonFile | undefined, key: string): number[] | undefined {
  const value = file?.values.get(key);
  if (value === undefined) return undefined;
  const ids: unknown[] = Array.isArray(value) ? value : [value];
  const isId = (id: unknown): id is number =>
    typeof id === "number" && Number.isInteger(id) && id >= 0 && id <= MAX_ID;
  if (ids.length > 0 && ids.every(isId)) return ids;
  const expected = `a token id from 0 to ${MAX_ID}, or a list`;
  throw invalidJson(`${file!.name}: ${quote(key)}`, expected, describeValue(value));
}
