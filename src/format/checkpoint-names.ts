/** The names of the files of a checkpoint: a folder as Hugging Face's libraries save a model. */

/** The one file of weights, and the index of several. */
export const WEIGHTS = "model.safetensors";
export const WEIGHTS_INDEX = "model.safetensors.index.json";

/** The files beside the weights that are read. */
const OTHER_NAMES: ReadonlySet<string> = new Set([
  ...["config.json", "generation_config.json", WEIGHTS_INDEX],
  ...["tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "added_tokens.json"],
  ...["chat_template.jinja", "chat_template.json"],
]);

/** The last part of a path or URL, without a URL's query and fragment. */
export function baseName(name: string): string {
  const path = /^[a-z][a-z0-9+.-]+:/i.test(name) ? name.replace(/[?#].*$/s, "") : name;
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

/** Whether it is a file of weights: the only one, or one of several. */
export function isWeights(name: string): boolean {
  return name.endsWith(".safetensors");
}

/** Whether a file of this name is read from a folder. */
export function isCheckpointFile(name: string): boolean {
  return isWeights(name) || OTHER_NAMES.has(name);
}
