/** Tokens that are recognised in text before it is split. */
import { describeValue } from "../describe.js";
import { type CheckpointFiles, invalidJson, isObject, type JsonFile } from "./files.js";

/** One of them. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Whether text becomes it only on request: a control token. */
  readonly isSpecial: boolean;
}

/** The `added_tokens` of tokenizer.json. Throws INVALID_FILE. */
export function addedTokensOf(fileName: string, list: unknown = []): AddedToken[] {
  const where = `${fileName}: added_tokens`;
  if (!Array.isArray(list)) throw invalidJson(where, "a list", describeValue(list));
  return list.map((item: unknown, i) => {
    const id = isObject(item) ? item.id : undefined;
    return tokenOf(`${where}[${i}]`, id, item);
  });
}

/**
 * Those beside vocab.json: `added_tokens_decoder` of tokenizer_config.json, else added_tokens.json,
 * whose tokens count as special. Throws INVALID_FILE.
 */
export async function readAddedTokens(
  files: CheckpointFiles,
  tokenizerConfig: JsonFile | undefined,
): Promise<AddedToken[]> {
  const decoder = tokenizerConfig?.values.get("added_tokens_decoder");
  if (decoder !== undefined) {
    const where = `${tokenizerConfig!.name}: added_tokens_decoder`;
    if (!isObject(decoder)) throw invalidJson(where, "tokens by id", describeValue(decoder));
    return Object.entries(decoder).map(([id, item]) => tokenOf(`${where}.${id}`, Number(id), item));
  }
  const added = await files.json("added_tokens.json");
  return Array.from(added?.values ?? [], ([content, id]) =>
    tokenOf(added!.name, id, { content, special: true }),
  );
}

function tokenOf(where: string, id: unknown, item: unknown): AddedToken {
  const { content, special = false } = isObject(item) ? item : {};
  const isSound = typeof content === "string" && typeof special === "boolean";
  if (isSound && typeof id === "number") return { id, content, isSpecial: special };
  throw invalidJson(where, "an id, content and special", describeValue(item));
}
