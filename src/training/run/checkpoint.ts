/**
 * A training run at a step, as one file. All little-endian:
 *
 *     magic "PLMTRAIN" | u32 version | u32 headerBytes | u64 totalBytes | header: JSON, spaces to a
 *     multiple of 8 | f32 tensors in the order of the header | u32 CRC-32 of all before it
 */
import { PlmError } from "../../errors.js";
import type { StreamState } from "../data/batches.js";
import type { TrainingConfig } from "./config.js";
import { firstDifference } from "./config-difference.js";
import { crc32 } from "./crc32.js";

/** A loss on held-out text, and what it was measured by. */
export interface BestLoss {
  readonly loss: number;
  /** Of the text. */
  readonly fingerprint: number;
  /** Tokens that windows advanced by. */
  readonly stride: number;
}

/** What a run needs to go on exactly. */
export interface Checkpoint {
  /** Updates done. */
  readonly step: number;
  /** Tokens learnt from. */
  readonly tokens: number;
  /** Where the data is. */
  readonly stream: StreamState;
  /** The least loss on held-out text so far, if one was measured. */
  readonly best?: BestLoss;
  /** Parameters and optimizer state, by names that the trainer gives. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

/** The JSON part of the file. */
interface Header extends Omit<Checkpoint, "tensors"> {
  readonly config: TrainingConfig;
  /** Name and count of floats. */
  readonly tensors: readonly (readonly [name: string, length: number])[];
}

const MAGIC = "PLMTRAIN";
const VERSION = 1;
const PREFIX_BYTES = 24;
const CRC_BYTES = 4;

/**
 * The file in pieces; those of tensors are views of them, to be written before they change. The
 * config goes into the file, to be compared when it is read.
 */
export function encodeCheckpoint(checkpoint: Checkpoint, config: TrainingConfig): Uint8Array[] {
  const { step, tokens, stream, best, tensors } = checkpoint;
  const table = Array.from(tensors, ([name, { length }]): [string, number] => [name, length]);
  const header: Header = { step, tokens, stream, ...(best && { best }), config, tensors: table };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const views = Array.from(
    tensors.values(),
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  const tensorBytes = views.reduce((sum, { length }) => sum + length, 0);

  const start = new Uint8Array(PREFIX_BYTES + headerBytes).fill(0x20);
  const view = new DataView(start.buffer);
  start.set(new TextEncoder().encode(MAGIC));
  view.setUint32(8, VERSION, true);
  view.setUint32(12, headerBytes, true);
  view.setBigUint64(16, BigInt(start.length + tensorBytes + CRC_BYTES), true);
  start.set(json, PREFIX_BYTES);

  const crc = new Uint8Array(CRC_BYTES);
  const sum = [start, ...views].reduce((before, piece) => crc32(piece, before), 0);
  new DataView(crc.buffer).setUint32(0, sum, true);
  return [start, ...views, crc];
}

/**
 * The checkpoint in a file's bytes; its tensors are views of them. Throws INVALID_FILE for bytes
 * that are no checkpoint, truncated or damaged, UNSUPPORTED_FILE for another version of the format,
 * INVALID_CONFIG for a checkpoint of a run with another config, naming the first key that differs;
 * plans may, for steps to come.
 */
export function decodeCheckpoint(bytes: Uint8Array, config: TrainingConfig): Checkpoint {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const tensorsFrom = checkFrame(aligned);
  const header = readHeader(aligned.subarray(PREFIX_BYTES, tensorsFrom));
  checkConfig(header, config);
  const tensors = new Map<string, Float32Array>();
  let at = tensorsFrom;
  for (const [name, length] of header.tensors) {
    tensors.set(name, new Float32Array(aligned.buffer, aligned.byteOffset + at, length));
    at += 4 * length;
  }
  const { step, tokens, stream, best } = header;
  return { step, tokens, stream, ...(best && { best }), tensors };
}

/** Checks all that can be told without the header, and returns where the tensors start. */
function checkFrame(bytes: Uint8Array): number {
  const magic = new TextDecoder("latin1").decode(bytes.subarray(0, MAGIC.length));
  if (magic !== MAGIC) throw invalid(`"${MAGIC}" at the start`, JSON.stringify(magic));
  if (bytes.length < PREFIX_BYTES) throw invalid(`${PREFIX_BYTES} bytes`, `${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = view.getUint32(8, true);
  if (version !== VERSION) {
    const message = `checkpoint: expected version ${VERSION}, got ${version}`;
    throw new PlmError("UNSUPPORTED_FILE", message);
  }
  const totalBytes = view.getBigUint64(16, true);
  if (totalBytes !== BigInt(bytes.length)) throw invalid(`${totalBytes} bytes`, `${bytes.length}`);
  const crcAt = bytes.length - CRC_BYTES;
  const tensorsFrom = PREFIX_BYTES + view.getUint32(12, true);
  if (tensorsFrom > crcAt) throw invalid("a whole header", `${bytes.length} bytes`);
  const [expected, got] = [view.getUint32(crcAt, true), crc32(bytes.subarray(0, crcAt))];
  if (expected !== got) throw invalid(`the checksum ${expected}`, `${got}: the file is damaged`);
  return tensorsFrom;
}

/** The header; the checksum has vouched for what is in it. */
function readHeader(bytes: Uint8Array): Header {
  return JSON.parse(new TextDecoder().decode(bytes));
}

function invalid(expected: string, got: string): PlmError {
  return new PlmError("INVALID_FILE", `checkpoint: expected ${expected}, got ${got}`);
}

function checkConfig(saved: Header, config: TrainingConfig): void {
  const difference = firstDifference(config, saved.config, saved.step);
  if (difference === undefined) return;
  const { path, one, other } = difference;
  const message = `checkpoint: it is of a run whose config has ${path} ${other}, not ${one}`;
  throw new PlmError("INVALID_CONFIG", message);
}
