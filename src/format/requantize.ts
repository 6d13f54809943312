/** Converts a GGUF file's matrices to another type, piece by piece. */
import { PlmError, quote } from "../errors.js";
import { alignmentOf } from "./alignment.js";
import type { ByteSource } from "./byte-source.js";
import { TENSOR_TYPES, type TensorType, tensorBytes } from "./dtypes.js";
import type { Gguf } from "./gguf.js";
import {
  areLoadable,
  DEQUANTIZED_TYPES,
  type DequantizedType,
  dequantize,
  type QuantizedType,
  quantize,
} from "./quantize.js";
import type { TensorInfo } from "./tensors.js";
import { elementCount } from "./tensors.js";
import { encodeHeader, type MetadataEntry, roundUp, type StoredEntry } from "./writer.js";

/** Values of a tensor read, quantised or copied together; whole blocks. */
const CHUNK_VALUES = 1 << 20;

/** llama.cpp's file-type numbers of files mostly of one type. */
const FILE_TYPES: Readonly<Record<QuantizedType, number>> = { Q4_0: 2, Q8_0: 7 };

/** Version of the block layouts, ggml's GGML_QNT_VERSION. */
const QUANTIZATION_VERSION = 2;

/** The new file: what is known before its first byte. */
export interface Requantized {
  readonly byteLength: number;
  /** Its tensors, without their offsets. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Names of the tensors that change type. */
  readonly changed: readonly string[];
  /** Names of the matrices that keep their type because their rows are not whole blocks. */
  readonly ragged: readonly string[];
  /** The file in order; a piece is valid until the next is requested. Can be iterated once. */
  readonly pieces: AsyncGenerator<Uint8Array>;
}

/** A tensor and the type that it gets. */
interface PlannedTensor {
  readonly tensor: TensorInfo;
  readonly type: TensorType;
}

/**
 * The file with every matrix (a tensor of two or more dimensions, leading ones of 1 not counted) as
 * `type`, and all else unchanged: vectors, tensors of that type, and those with rows that are not a
 * multiple of 32. Metadata is carried over byte by byte, except general.file_type,
 * general.quantization_version and, when the parts of a split file become one, the split keys. The
 * sources must be open while the pieces are read.
 *
 * Throws UNSUPPORTED_FILE for a tensor of a type outside DEQUANTIZED_TYPES and for forward-only
 * sources. The pieces throw INVALID_FILE for weights, copied ones included, that are not finite or
 * too large to be loaded, and for a file that ends early; an abort rejects with its reason.
 */
export async function requantize(
  gguf: Gguf,
  type: QuantizedType,
  signal?: AbortSignal,
): Promise<Requantized> {
  const { name, sequential } = gguf.sources.find((source) => source.sequential) ?? gguf.sources[0];
  if (sequential) {
    throw new PlmError("UNSUPPORTED_FILE", `${name}: expected a file that can be read at any byte`);
  }
  const plan = Array.from(gguf.tensors.values(), (tensor) => ({
    tensor,
    type: typeAfter(gguf, tensor, type),
  }));
  // The header was read: it is valid.
  const alignment = alignmentOf(gguf.metadata.get("general.alignment"))!;
  const metadata = await createMetadata(gguf, type, signal);
  const tensors = plan.map((each) => ({
    ...each.tensor,
    type: each.type,
    byteLength: byteLengthAfter(each),
  }));
  const header = encodeHeader(metadata, tensors, alignment);
  const changed = plan.filter(({ tensor, type }) => tensor.type !== type);
  const ragged = plan.filter(({ tensor }) => isMatrix(tensor) && !hasWholeBlocks(tensor));
  const lengths = plan.map((each) => roundUp(byteLengthAfter(each), alignment));
  return {
    byteLength: lengths.reduce((sum, length) => sum + length, header.length),
    tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    changed: changed.map(({ tensor }) => tensor.name),
    ragged: ragged.map(({ tensor }) => tensor.name),
    pieces: createPieces(gguf, plan, { header, alignment, signal }),
  };
}

/** Whether the tensor has more than one row. */
function isMatrix({ shape }: TensorInfo): boolean {
  return shape.slice(0, -1).some((size) => size !== 1);
}

function hasWholeBlocks({ shape }: TensorInfo): boolean {
  return shape[shape.length - 1] % TENSOR_TYPES.Q4_0.blockSize === 0;
}

function isDequantized(type: TensorType): type is DequantizedType {
  return (DEQUANTIZED_TYPES as readonly TensorType[]).includes(type);
}

/** The type that a tensor gets; throws UNSUPPORTED_FILE for a type that cannot be dequantised. */
function typeAfter(gguf: Gguf, tensor: TensorInfo, wanted: QuantizedType): TensorType {
  if (!isDequantized(tensor.type)) {
    const file = gguf.sources[tensor.file].name;
    const expected = `expected one of ${DEQUANTIZED_TYPES.join(", ")}`;
    const message = `${file}: tensor ${quote(tensor.name)}: ${expected}, got ${tensor.type}`;
    throw new PlmError("UNSUPPORTED_FILE", message);
  }
  return isMatrix(tensor) && hasWholeBlocks(tensor) ? wanted : tensor.type;
}

function byteLengthAfter({ tensor, type }: PlannedTensor): number {
  return tensorBytes(type, elementCount(tensor.shape));
}

/** All entries in their order; the two that describe the type keep their place, or come last. */
async function createMetadata(
  gguf: Gguf,
  type: QuantizedType,
  signal: AbortSignal | undefined,
): Promise<(MetadataEntry | StoredEntry)[]> {
  const entries = new Map<string, MetadataEntry | StoredEntry>();
  for (const [key, { offset, byteLength }] of gguf.metadataRanges) {
    if (gguf.sources.length > 1 && key.startsWith("split.")) continue;
    const bytes = new Uint8Array(byteLength);
    await readAll(gguf.sources[0], offset, bytes, signal);
    entries.set(key, { key, bytes });
  }
  const replace = (key: string, value: number): void => {
    entries.set(key, { key, type: "uint32", value });
  };
  replace("general.file_type", FILE_TYPES[type]);
  replace("general.quantization_version", QUANTIZATION_VERSION);
  return [...entries.values()];
}

async function readAll(
  source: ByteSource,
  offset: number,
  target: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const read = await source.read(offset, target, signal);
  if (read === target.length) return;
  const message = `expected ${target.length} bytes at ${offset}, got ${read}`;
  throw new PlmError("INVALID_FILE", `${source.name}: ${message}`);
}

async function* createPieces(
  gguf: Gguf,
  plan: readonly PlannedTensor[],
  layout: { header: Uint8Array; alignment: number; signal: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  const { header, alignment, signal } = layout;
  yield header;
  const stored = new Uint8Array(tensorBytes("F32", CHUNK_VALUES));
  const quantizer = new Quantizer();
  for (const each of plan) {
    const { tensor, type } = each;
    const source = gguf.sources[tensor.file];
    const isCopied = tensor.type === type;
    const step = tensorBytes(tensor.type, CHUNK_VALUES);
    for (let done = 0; done < tensor.byteLength; done += step) {
      const bytes = stored.subarray(0, Math.min(step, tensor.byteLength - done));
      await readAll(source, tensor.offset + done, bytes, signal);
      if (!isCopied) yield quantizer.run(each, bytes, source.name);
      else if (areLoadable(tensor.type as DequantizedType, bytes)) yield bytes;
      else throw notLoadable(each, source.name);
    }
    const length = byteLengthAfter(each);
    const padding = roundUp(length, alignment) - length;
    if (padding > 0) yield new Uint8Array(padding);
  }
}

/** Turns stored bytes into blocks, in buffers of its own. */
class Quantizer {
  readonly #values = new Float32Array(CHUNK_VALUES);
  readonly #blocks = new Uint8Array(tensorBytes("Q8_0", CHUNK_VALUES));

  run({ tensor, type }: PlannedTensor, bytes: Uint8Array, file: string): Uint8Array {
    const { blockSize, blockBytes } = TENSOR_TYPES[tensor.type];
    const values = this.#values.subarray(0, (bytes.length / blockBytes) * blockSize);
    const blocks = this.#blocks.subarray(0, tensorBytes(type, values.length));
    dequantize(tensor.type as DequantizedType, bytes, values);
    const isQuantized = quantize(type as QuantizedType, values, blocks);
    if (isQuantized && areLoadable(type as QuantizedType, blocks)) return blocks;
    throw notLoadable({ tensor, type }, file);
  }
}

function notLoadable({ tensor, type }: PlannedTensor, file: string): PlmError {
  const expected = `expected finite weights that ${type} can hold`;
  return new PlmError(
    "INVALID_FILE",
    `${file}: tensor ${quote(tensor.name)}: ${expected}, got NaN, infinity or a larger one`,
  );
}
