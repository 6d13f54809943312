/**
 * A training run at a step, as one file: a frame (src/format/frame.ts) "PLMTRAIN" whose header is
 * followed by f32 tensors in its order, and by the CRC-32 of all before it.
 */
import { PlmError } from "../../errors.js";
import { crc32 } from "../../format/crc32.js";
import {
  CRC_BYTES,
  checkCrc,
  decodeHeader,
  decodePrefix,
  encodeFrame,
  type FrameFormat,
  invalidFrame,
  PREFIX_BYTES,
} from "../../format/frame.js";
import type { StreamState } from "../data/batches.js";
import type { TrainingConfig } from "./config.js";
import { firstDifference } from "./config-difference.js";

/** A loss on held-out text, and how it was measured. */
export interface BestLoss {
  readonly loss: number;
  /** The text's hash. */
  readonly fingerprint: number;
  /** Tokens that windows advanced by. */
  readonly stride: number;
}

/** What a run needs to continue exactly. */
export interface Checkpoint {
  /** Updates done. */
  readonly step: number;
  /** Tokens learnt from. */
  readonly tokens: number;
  /** The state of the data stream. */
  readonly stream: StreamState;
  /** The least loss on held-out text so far, if measured. */
  readonly best?: BestLoss;
  /** Parameters and optimizer state, by the trainer's names. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

/** The JSON part of the file. */
interface Header extends Omit<Checkpoint, "tensors"> {
  readonly config: TrainingConfig;
  /** Name and count of floats. */
  readonly tensors: readonly (readonly [name: string, length: number])[];
}

const FORMAT: FrameFormat = { name: "checkpoint", magic: "PLMTRAIN", version: 1 };

/**
 * The file in pieces. Those of tensors are views, to be written before the tensors change. The
 * config is stored for comparison when the file is read.
 */
export function encodeCheckpoint(checkpoint: Checkpoint, config: TrainingConfig): Uint8Array[] {
  const { step, tokens, stream, best, tensors } = checkpoint;
  const table = Array.from(tensors, ([name, { length }]): [string, number] => [name, length]);
  const header: Header = { step, tokens, stream, ...(best && { best }), config, tensors: table };
  const views = Array.from(
    tensors.values(),
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  const tensorBytes = views.reduce((sum, { length }) => sum + length, 0);

  const start = encodeFrame(FORMAT, header, tensorBytes + CRC_BYTES);
  const crc = new Uint8Array(CRC_BYTES);
  const sum = [start, ...views].reduce((before, piece) => crc32(piece, before), 0);
  new DataView(crc.buffer).setUint32(0, sum, true);
  return [start, ...views, crc];
}

/**
 * The checkpoint in a file's bytes; its tensors are views of them. Throws INVALID_FILE for bytes
 * that are not a checkpoint, truncated or damaged, UNSUPPORTED_FILE for another format version,
 * INVALID_CONFIG for another config, naming the first key that differs; plans may differ for later
 * steps.
 */
export function decodeCheckpoint(bytes: Uint8Array, config: TrainingConfig): Checkpoint {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const tensorsFrom = checkFrame(aligned);
  const header = decodeHeader(FORMAT, aligned.subarray(PREFIX_BYTES, tensorsFrom)) as Header;
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

/** Checks sizes and checksum, which covers the header; returns the start of the tensors. */
function checkFrame(bytes: Uint8Array): number {
  const { headerBytes, totalBytes } = decodePrefix(FORMAT, bytes);
  if (totalBytes !== bytes.length) {
    throw invalidFrame(FORMAT, `${totalBytes} bytes`, `${bytes.length}`);
  }
  checkCrc(FORMAT, "all before it", bytes);
  return PREFIX_BYTES + headerBytes;
}

function checkConfig(saved: Header, config: TrainingConfig): void {
  const difference = firstDifference(config, saved.config, saved.step);
  if (difference === undefined) return;
  const { path, one, other } = difference;
  const message = `checkpoint: it is of a run whose config has ${path} ${other}, not ${one}`;
  throw new PlmError("INVALID_CONFIG", message);
}
