/** The steps of a tokenizer.json around its merges: they must be Qwen2's. */
import { describeValue } from "../describe.js";
import { isObject, type JsonFile, unsupportedJson } from "./files.js";

/** How Qwen2 splits text into words. */
export const QWEN2_PATTERN: string =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|" +
  " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** Switches of a BPE model that change its tokens. */
const MODEL_SWITCHES = [
  ...["byte_fallback", "ignore_merges", "continuing_subword_prefix", "end_of_word_suffix"],
  ...["unk_token", "dropout"],
];

/** Throws UNSUPPORTED_FILE, naming the key, for a step that is not Qwen2's. */
export function checkPipeline(
  { name, values }: JsonFile,
  model: ReadonlyMap<string, unknown>,
): void {
  for (const key of MODEL_SWITCHES) {
    const value = model.get(key);
    if (value) throw unsupportedJson(`${name}: model.${key}`, "none", describeValue(value));
  }
  for (const step of stepsOf(values.get("normalizer"), "normalizers")) {
    if (step.type === "NFC") continue;
    throw unsupportedJson(`${name}: normalizer`, "NFC", describeValue(step.type));
  }
  for (const step of stepsOf(values.get("pre_tokenizer"), "pretokenizers")) {
    checkSplit(`${name}: pre_tokenizer`, step);
  }
}

/** A step, or the steps of a sequence. */
function stepsOf(value: unknown, listKey: string): Record<string, unknown>[] {
  if (!isObject(value)) return [];
  const list = value.type === "Sequence" ? value[listKey] : [value];
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function checkSplit(where: string, step: Record<string, unknown>): void {
  if (step.type === "ByteLevel") {
    if (!step.add_prefix_space) return;
    throw unsupportedJson(`${where}.add_prefix_space`, "false", "true");
  }
  if (step.type !== "Split") {
    throw unsupportedJson(where, "Split and ByteLevel", describeValue(step.type));
  }
  const pattern = isObject(step.pattern) ? step.pattern.Regex : step.pattern;
  if (pattern === QWEN2_PATTERN) return;
  throw unsupportedJson(`${where}.pattern`, "Qwen2's", describeValue(pattern));
}
