/** The safetensors files of a checkpoint: one, or several and an index. */
import { describeValue } from "../describe.js";
import { quote } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import { isWeights, WEIGHTS, WEIGHTS_INDEX } from "../format/checkpoint-names.js";
import { readSafetensors, type SafetensorsTensor } from "../format/safetensors.js";
import { type CheckpointFiles, invalidJson, isObject, unsupportedJson } from "./files.js";

/** A tensor and its file. */
export interface StoredTensor extends SafetensorsTensor {
  readonly source: ByteSource;
}

/**
 * All tensors by name. As in transformers, model.safetensors counts if it is there, else the files
 * that the index names. Throws INVALID_FILE for a missing file or tensor, UNSUPPORTED_FILE for a
 * file that can only be read from front to back.
 */
export async function readWeightsFiles(
  files: CheckpointFiles,
  signal?: AbortSignal,
): Promise<Map<string, StoredTensor>> {
  const whole = files.find(WEIGHTS);
  if (whole !== undefined) return readFile(whole, signal);
  const index = await files.json(WEIGHTS_INDEX);
  if (index === undefined) {
    const others = files.names().filter(isWeights);
    const what = others.length > 0 ? `the index of ${others[0]}` : `or ${WEIGHTS_INDEX}`;
    throw files.missing(others.length > 0 ? WEIGHTS_INDEX : WEIGHTS, what);
  }
  const where = `${index.name}: weight_map`;
  const map = index.values.get("weight_map");
  if (!isObject(map)) throw invalidJson(where, "file names by tensor", describeValue(map));
  const read = new Map<string, Map<string, StoredTensor>>();
  const tensors = new Map<string, StoredTensor>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== "string" || !isWeights(file)) {
      throw invalidJson(`${where}: ${quote(name)}`, "a .safetensors file", describeValue(file));
    }
    if (!read.has(file)) {
      const source = files.require(file, `which ${WEIGHTS_INDEX} names`);
      read.set(file, await readFile(source, signal));
    }
    const tensor = read.get(file)!.get(name);
    if (tensor === undefined) {
      throw invalidJson(where, `${quote(name)} in ${file}`, "a file without it");
    }
    tensors.set(name, tensor);
  }
  return tensors;
}

async function readFile(
  source: ByteSource,
  signal: AbortSignal | undefined,
): Promise<Map<string, StoredTensor>> {
  if (source.sequential) {
    throw unsupportedJson(source.name, "a file that can be read at any byte", "a stream");
  }
  const tensors = await readSafetensors(source, signal);
  return new Map(Array.from(tensors, ([name, tensor]) => [name, { ...tensor, source }]));
}
