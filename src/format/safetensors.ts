/** Reads the headers of safetensors files: which tensors they have, of which type, and where. */
import { describeValue, kindOf } from "../describe.js";
import { PlmError, quote } from "../errors.js";
import { requireGlobal } from "../globals.js";
import type { ByteSource } from "./byte-source.js";
import { repeatedKey } from "./json-keys.js";
import { elementCount } from "./tensors.js";

/** Bits of an element, by the format's names of types. */
const TYPE_BITS: Readonly<Record<string, number>> = {
  ...{ F64: 64, F32: 32, F16: 16, BF16: 16, F8_E4M3: 8, F8_E5M2: 8, F8_E8M0: 8 },
  ...{ F6_E2M3: 6, F6_E3M2: 6, F4: 4, C64: 64 },
  ...{ I64: 64, I32: 32, I16: 16, I8: 8, U64: 64, U32: 32, U16: 16, U8: 8, BOOL: 8 },
};

/** A tensor's type, shape and place. */
export interface SafetensorsTensor {
  /** The format's name. */
  readonly dtype: string;
  /** Row-major, `[rows, cols]`. */
  readonly shape: readonly number[];
  /** Bytes from the start of its file. */
  readonly offset: number;
  readonly byteLength: number;
}

/** The header's length comes first, as u64. */
const LENGTH_BYTES = 8;

/** The longest header; PLM-1.8B's has 36 kB. The format allows 100 MB. */
const MAX_HEADER_BYTES = 16 << 20;

/** The key of a header that is no tensor. */
const METADATA_KEY = "__metadata__";

/**
 * The tensors of a file by name, in the order of its header. Throws INVALID_FILE for a header that
 * is damaged or does not fit the file: the tensors' data must follow each other without holes and
 * fill the file. Throws UNSUPPORTED_FILE for a header of over 16 MiB.
 */
export async function readSafetensors(
  source: ByteSource,
  signal?: AbortSignal,
): Promise<Map<string, SafetensorsTensor>> {
  const { name, size } = source;
  const start = await readBytes(source, 0, LENGTH_BYTES, signal);
  const length = Number(new DataView(start.buffer).getBigUint64(0, true));
  const most = Math.max(0, (size ?? Infinity) - LENGTH_BYTES);
  if (length > most) throw invalid(name, `a header of at most ${most} bytes`, String(length));
  if (length > MAX_HEADER_BYTES) {
    const expected = `expected a header of at most ${MAX_HEADER_BYTES} bytes`;
    throw new PlmError("UNSUPPORTED_FILE", `${name}: ${expected}, got ${length}`);
  }
  const bytes = await readBytes(source, LENGTH_BYTES, length, signal);
  const data = { start: LENGTH_BYTES + length, size };
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [key, value] of parseHeader(name, bytes)) {
    if (key === METADATA_KEY) checkMetadata(name, value);
    else tensors.set(key, readEntry(`${name}: tensor ${quote(key)}`, value, data.start));
  }
  checkPlaces(name, tensors, data);
  return tensors;
}

function invalid(where: string, expected: string, got: string): PlmError {
  return new PlmError("INVALID_FILE", `${where}: expected ${expected}, got ${got}`);
}

async function readBytes(
  source: ByteSource,
  offset: number,
  length: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const read = await source.read(offset, bytes, signal);
  if (read === length) return bytes;
  throw invalid(source.name, `${length} bytes of header at ${offset}`, String(read));
}

function parseHeader(name: string, bytes: Uint8Array): [string, unknown][] {
  let text: string;
  let header: unknown;
  try {
    text = new (requireGlobal("TextDecoder"))("utf-8", { fatal: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (cause) {
    const message = `${name}: the header: expected JSON in UTF-8, got other bytes`;
    throw new PlmError("INVALID_FILE", message, { cause });
  }
  if (!isObject(header)) throw invalid(name, "a header that is an object", kindOf(header));
  const repeated = repeatedKey(text);
  if (repeated !== undefined) {
    throw invalid(name, "each tensor once in the header", `${quote(repeated)} twice`);
  }
  return Object.entries(header);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Texts by name. */
function checkMetadata(name: string, value: unknown): void {
  const isSound = isObject(value) && Object.values(value).every((each) => typeof each === "string");
  if (!isSound) throw invalid(`${name}: ${METADATA_KEY}`, "texts by name", describeValue(value));
}

function readEntry(where: string, value: unknown, dataStart: number): SafetensorsTensor {
  if (!isObject(value)) throw invalid(where, "an object", describeValue(value));
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(TYPE_BITS, dtype)) {
    throw invalid(`${where}: dtype`, Object.keys(TYPE_BITS).join(", "), describeValue(dtype));
  }
  if (!isCounts(shape)) throw invalid(`${where}: shape`, "counts", describeValue(shape));
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw invalid(`${where}: data_offsets`, "a start and an end", describeValue(offsets));
  }
  const byteLength = offsets[1] - offsets[0];
  const expected = (elementCount(shape) * TYPE_BITS[dtype]) / 8;
  if (byteLength !== expected) {
    const what = `${expected} bytes for [${shape}] of ${dtype}`;
    throw invalid(`${where}: data_offsets`, what, String(byteLength));
  }
  return { dtype, shape, offset: dataStart + offsets[0], byteLength };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0);
}

/** Throws unless the tensors' data follow each other from the header to the file's end. */
function checkPlaces(
  name: string,
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  { start, size }: { start: number; size: number | undefined },
): void {
  const inOrder = [...tensors].sort(
    ([, a], [, b]) => a.offset - b.offset || a.byteLength - b.byteLength,
  );
  let end = start;
  for (const [key, { offset, byteLength }] of inOrder) {
    if (offset !== end) {
      const what = `data that follow the tensor before, at byte ${end}`;
      throw invalid(`${name}: tensor ${quote(key)}`, what, String(offset));
    }
    end += byteLength;
  }
  if (size === undefined || end === size) return;
  throw invalid(name, `${end} bytes, where the last tensor ends`, String(size));
}
