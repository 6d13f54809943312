/** The chat templates of a checkpoint. */
import { describeValue } from "../describe.js";
import type { TokenizerSource } from "../tokenizer/metadata.js";
import { type CheckpointFiles, invalidJson, isObject, type JsonFile } from "./files.js";

type Templates = Pick<TokenizerSource, "chatTemplate" | "namedChatTemplates">;

/** The template that has no other purpose. */
export const DEFAULT_NAME = "default";

/**
 * The template of chat_template.jinja, else of chat_template.json, else of tokenizer_config.json,
 * where a list may also have named ones. Throws INVALID_FILE.
 */
export async function readChatTemplates(
  files: CheckpointFiles,
  tokenizerConfig: JsonFile | undefined,
): Promise<Templates> {
  const listed = listTemplates(tokenizerConfig);
  const older = listTemplates(await files.json("chat_template.json"));
  const own = await files.text("chat_template.jinja");
  const named = new Map([...listed, ...older]);
  const chatTemplate = own ?? named.get(DEFAULT_NAME);
  named.delete(DEFAULT_NAME);
  return {
    ...(chatTemplate !== undefined && { chatTemplate }),
    ...(named.size > 0 && { namedChatTemplates: Object.fromEntries(named) }),
  };
}

/** A text, or a list of {name, template}. */
function listTemplates(file: JsonFile | undefined): Map<string, string> {
  const value = file?.values.get("chat_template");
  if (value === undefined) return new Map();
  if (typeof value === "string") return new Map([[DEFAULT_NAME, value]]);
  const entries = Array.isArray(value) ? value.map(entryOf) : [undefined];
  if (entries.every((entry) => entry !== undefined)) return new Map(entries);
  const where = `${file!.name}: chat_template`;
  throw invalidJson(where, "a text or a list of {name, template}", describeValue(value));
}

function entryOf(item: unknown): [string, string] | undefined {
  const { name, template } = isObject(item) ? item : {};
  return typeof name === "string" && typeof template === "string" ? [name, template] : undefined;
}
