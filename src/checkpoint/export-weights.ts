/** The tensors of a GGUF file as model.safetensors. */
import { listOf } from "../describe.js";
import { PlmError, quote } from "../errors.js";
import { dequantizeAny } from "../format/dequantize-blocks.js";
import { TENSOR_TYPES, type TensorType, tensorBytes } from "../format/dtypes.js";
import { toF16Bits } from "../format/f16.js";
import type { Gguf } from "../format/gguf.js";
import { elementCount, type TensorInfo } from "../format/tensors.js";
import type { PlmConfig } from "../model/config.js";
import { PLM_TENSORS } from "../model/plm-tensors.js";
import { checkpointTensorName, tensorName, tensorsOf } from "../model/tensor-table.js";

/** The types of a checkpoint. */
export type ExportedType = "F32" | "F16" | "BF16";

/** Values that are converted together; a multiple of every block size. */
const CHUNK_VALUES = 1 << 20;

/** The header's length is padded to a multiple of it, as other writers do. */
const HEADER_ALIGNMENT = 8;

interface PlannedTensor {
  readonly name: string;
  readonly tensor: TensorInfo;
  readonly type: ExportedType;
}

/** The file: what is known before its first byte. */
export interface PlannedWeights {
  readonly byteLength: number;
  /** The type of most values. */
  readonly mainType: ExportedType;
  /** Names of the tensors that change type. */
  readonly changed: readonly string[];
  readonly header: Uint8Array;
  readonly tensors: readonly PlannedTensor[];
}

/**
 * Plans all tensors: quantised ones as `type`, others as they are. Throws UNSUPPORTED_FILE for
 * tensors that a checkpoint has no names for.
 */
export function planWeights(gguf: Gguf, config: PlmConfig, type: ExportedType): PlannedWeights {
  const names = checkpointNames(config);
  const others = [...gguf.tensors.keys()].filter((name) => !names.has(name));
  if (others.length > 0) {
    const got = listOf(others.map(quote), 3);
    const message = `tensors: expected names that a checkpoint has, got ${got}`;
    throw new PlmError("UNSUPPORTED_FILE", message);
  }
  const tensors = Array.from(gguf.tensors.values(), (tensor) => ({
    name: names.get(tensor.name)!,
    tensor,
    type: isFloat(tensor.type) ? tensor.type : type,
  }));
  // Wider values first, so that each tensor is aligned to its own width.
  tensors.sort((a, b) => widthOf(b) - widthOf(a) || (a.name < b.name ? -1 : 1));
  let end = 0;
  const entries = tensors.map((each) => {
    const start = end;
    end += bytesOf(each);
    return [each.name, entryOf(each, [start, end])] as const;
  });
  const header = encodeHeader(Object.fromEntries(entries));
  const changed = tensors.filter((each) => each.type !== each.tensor.type);
  return {
    byteLength: header.length + end,
    mainType: mainTypeOf(tensors),
    changed: changed.map(({ tensor }) => tensor.name),
    header,
    tensors,
  };
}

function isFloat(type: TensorType): type is ExportedType {
  return type === "F32" || type === "F16" || type === "BF16";
}

function widthOf({ type }: PlannedTensor): number {
  return TENSOR_TYPES[type].blockBytes;
}

function bytesOf({ tensor, type }: PlannedTensor): number {
  return tensorBytes(type, elementCount(tensor.shape));
}

function entryOf({ tensor, type }: PlannedTensor, offsets: number[]): object {
  const { length } = tensor.shape;
  // A vector may be stored as one row.
  const isRow = length > 1 && tensor.shape.slice(0, -1).every((size) => size === 1);
  const shape = isRow ? tensor.shape.slice(-1) : tensor.shape;
  return { dtype: type, shape, data_offsets: offsets };
}

function mainTypeOf(tensors: readonly PlannedTensor[]): ExportedType {
  const counts = { F32: 0, F16: 0, BF16: 0 };
  for (const { tensor, type } of tensors) counts[type] += elementCount(tensor.shape);
  const types = Object.keys(counts) as ExportedType[];
  return types.reduce((most, type) => (counts[type] > counts[most] ? type : most));
}

/** Names in checkpoints by names in GGUF. */
function checkpointNames(config: PlmConfig): Map<string, string> {
  const { embedTokens, layer: specs, norm, lmHead } = tensorsOf(PLM_TENSORS, config);
  const names = new Map<string, string>();
  for (const spec of [embedTokens, norm, lmHead]) {
    names.set(tensorName(spec), checkpointTensorName(spec));
  }
  for (let layer = 0; layer < config.numHiddenLayers; layer++) {
    for (const spec of Object.values(specs)) {
      names.set(tensorName(spec, layer), checkpointTensorName(spec, layer));
    }
  }
  return names;
}

function encodeHeader(entries: Record<string, object>): Uint8Array {
  const text = JSON.stringify({ __metadata__: { format: "pt" }, ...entries });
  const padded = text.padEnd(Math.ceil(text.length / HEADER_ALIGNMENT) * HEADER_ALIGNMENT);
  // Names of tensors are ASCII.
  const bytes = new Uint8Array(8 + padded.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded.length), true);
  for (let i = 0; i < padded.length; i++) bytes[8 + i] = padded.charCodeAt(i);
  return bytes;
}

/** The file's bytes. Throws INVALID_FILE for a source that ends early. */
export async function* weightsPieces(
  gguf: Gguf,
  { header, tensors }: PlannedWeights,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  yield header;
  const buffer = new Uint8Array(tensorBytes("F32", CHUNK_VALUES));
  const values = new Float32Array(CHUNK_VALUES);
  for (const { tensor, type } of tensors) {
    const source = gguf.sources[tensor.file];
    const step = tensorBytes(tensor.type, CHUNK_VALUES);
    const { blockSize, blockBytes } = TENSOR_TYPES[tensor.type];
    for (let done = 0; done < tensor.byteLength; done += step) {
      const bytes = buffer.subarray(0, Math.min(step, tensor.byteLength - done));
      const read = await source.read(tensor.offset + done, bytes, signal);
      if (read < bytes.length) {
        const message = `${tensor.name}: expected ${bytes.length} bytes, got ${read}`;
        throw new PlmError("INVALID_FILE", `${source.name}: ${message}`);
      }
      if (type === tensor.type) yield bytes;
      else {
        const found = values.subarray(0, (bytes.length / blockBytes) * blockSize);
        dequantizeAny(tensor.type, bytes, found);
        yield encodeFloats(type, found);
      }
    }
  }
}

/** The values as stored, rounded to the nearest, ties to even. */
function encodeFloats(type: ExportedType, values: Float32Array): Uint8Array {
  if (type === "F32") return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const halves = new Uint16Array(values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  if (type === "F16") for (let i = 0; i < halves.length; i++) halves[i] = toF16Bits(values[i]);
  else for (let i = 0; i < halves.length; i++) halves[i] = toBf16Bits(bits[i]);
  return new Uint8Array(halves.buffer);
}

/** The upper half of the bits of a finite f32. */
function toBf16Bits(bits: number): number {
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
