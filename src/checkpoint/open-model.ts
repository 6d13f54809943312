/** Opens a model, whichever form its files have: GGUF, or a checkpoint's. */
import { checkSignal } from "../brands.js";
import { describeValue } from "../describe.js";
import { invalidArgument } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import { baseName, isWeights } from "../format/checkpoint-names.js";
import { type Gguf, openGguf } from "../format/gguf.js";
import type { QuantizedType } from "../format/quantize.js";
import { readCheckpointConfig } from "./config.js";
import { CheckpointFiles } from "./files.js";
import { GgufSource } from "./gguf-source.js";
import { createMetadata } from "./metadata.js";
import { planTensors } from "./tensors.js";
import { readTokenizer } from "./tokenizer.js";
import { readWeightsFiles } from "./weights-files.js";

/** What matrices of a checkpoint can become. */
export const QUANTIZE_CHOICES = ["none", "q8_0", "q4_0"] as const;

/** One of QUANTIZE_CHOICES. */
export type QuantizeChoice = (typeof QUANTIZE_CHOICES)[number];

/** How a checkpoint is read. */
export interface CheckpointOptions {
  /**
   * What the matrices of a Hugging Face folder become while they are read: Q8_0 or Q4_0 blocks as
   * `plm quantize` makes them, or "none", the type that the files have. Default "none", which is
   * all that a GGUF file can be loaded with.
   */
  quantize?: QuantizeChoice;
}

/** How a GGUF file begins. */
const MAGIC = [0x47, 0x47, 0x55, 0x46];

/**
 * The contents of a model's files: a GGUF file or its parts, or the files of a checkpoint (a
 * Hugging Face folder), which are read as the GGUF file that they would be converted to. It is a
 * checkpoint if there is a config.json or a .safetensors file by name that is no GGUF file by its
 * first bytes. Throws INVALID_FILE and UNSUPPORTED_FILE, naming the file, INVALID_ARGUMENT for
 * `quantize`, and what the sources throw. The caller closes the sources.
 */
export async function openModel(
  sources: ByteSource[],
  options: CheckpointOptions = {},
  signal?: AbortSignal,
): Promise<Gguf> {
  const { quantize = "none" } = options;
  if (!QUANTIZE_CHOICES.includes(quantize)) {
    throw invalidArgument("quantize", QUANTIZE_CHOICES.join(", "), describeValue(quantize));
  }
  const checked = checkSignal(signal);
  checked?.throwIfAborted();
  if (await isCheckpoint(sources, checked)) {
    return openCheckpoint(sources, quantize, checked);
  }
  if (quantize !== "none") {
    throw invalidArgument("quantize", '"none" for a GGUF file', describeValue(quantize));
  }
  return openGguf(sources, checked);
}

async function isCheckpoint(sources: ByteSource[], signal?: AbortSignal): Promise<boolean> {
  const named = sources.find(({ name }) => {
    const file = baseName(name);
    return file === "config.json" || isWeights(file);
  });
  if (named === undefined) return false;
  // A stream cannot go back to its first bytes.
  if (named.sequential) return true;
  const start = new Uint8Array(MAGIC.length);
  await named.read(0, start, signal);
  return MAGIC.some((byte, i) => start[i] !== byte);
}

/**
 * The same for a checkpoint's files. The result has one source, which has all bytes of the GGUF
 * file.
 */
export async function openCheckpoint(
  sources: readonly ByteSource[],
  quantize: QuantizeChoice,
  signal?: AbortSignal,
): Promise<Gguf> {
  const files = new CheckpointFiles(sources, signal);
  const file = await files.json("config.json");
  if (file === undefined) throw files.missing("config.json", "the model's shape");
  const config = readCheckpointConfig(file);
  const tokenizer = await readTokenizer(files, file, config.config.vocabSize);
  const stored = await readWeightsFiles(files, signal);
  const type = quantize === "none" ? undefined : (quantize.toUpperCase() as QuantizedType);
  const tensors = planTensors(stored, config, type, files.folder);
  const metadata = createMetadata(config, tensors, tokenizer);
  const source = new GgufSource(files.folder, metadata, tensors);
  return { ...(await openGguf([source.withoutData()], signal)), sources: [source] };
}
