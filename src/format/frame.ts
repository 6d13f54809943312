/**
 * The frame that training checkpoints and saved sessions share. All little-endian:
 *
 *     magic, 8 bytes | u32 version | u32 headerBytes | u64 totalBytes | header: JSON, spaces to a
 *     multiple of 8 | what the header says, with at least one CRC-32
 */

import { PlmError, quote } from "../errors.js";
import { requireGlobal } from "../globals.js";
import type { OwnBytes } from "../web-types.js";
import { crc32 } from "./crc32.js";

/** A kind of file. */
export interface FrameFormat {
  /** For messages. */
  readonly name: string;
  /** 8 characters of ASCII. */
  readonly magic: string;
  readonly version: number;
}

/** Sizes that a frame begins with. */
export interface FramePrefix {
  readonly headerBytes: number;
  /** Of the whole file; more than 2^53 are rounded. */
  readonly totalBytes: number;
}

/** Bytes before the header. */
export const PREFIX_BYTES = 24;
/** Bytes of a checksum. */
export const CRC_BYTES = 4;

/** Prefix and header of a file in which `restBytes` bytes follow. */
export function encodeFrame(
  { magic, version }: FrameFormat,
  header: unknown,
  restBytes: number,
): OwnBytes {
  const encoder = new (requireGlobal("TextEncoder"))();
  const json = encoder.encode(JSON.stringify(header));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(PREFIX_BYTES + headerBytes).fill(0x20);
  const view = new DataView(bytes.buffer);
  bytes.set(encoder.encode(magic));
  view.setUint32(8, version, true);
  view.setUint32(12, headerBytes, true);
  view.setBigUint64(16, BigInt(bytes.length + restBytes), true);
  bytes.set(json, PREFIX_BYTES);
  return bytes;
}

/**
 * The prefix that bytes begin with. Throws INVALID_FILE for another kind of file, one that is too
 * short or one whose sizes contradict each other, UNSUPPORTED_FILE for another version.
 */
export function decodePrefix(format: FrameFormat, bytes: Uint8Array): FramePrefix {
  const { name, magic, version } = format;
  const found = String.fromCharCode(...bytes.subarray(0, magic.length));
  if (found !== magic) throw invalidFrame(format, `"${magic}" at the start`, quote(found));
  if (bytes.length < PREFIX_BYTES) {
    throw invalidFrame(format, `${PREFIX_BYTES} bytes`, `${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, PREFIX_BYTES);
  const got = view.getUint32(8, true);
  if (got !== version) {
    throw new PlmError("UNSUPPORTED_FILE", `${name}: expected version ${version}, got ${got}`);
  }
  const headerBytes = view.getUint32(12, true);
  const totalBytes = Number(view.getBigUint64(16, true));
  if (PREFIX_BYTES + headerBytes + CRC_BYTES > totalBytes) {
    throw invalidFrame(format, "a whole header", `${totalBytes} bytes`);
  }
  return { headerBytes, totalBytes };
}

/** The value of a header's JSON. Throws INVALID_FILE. */
export function decodeHeader(format: FrameFormat, json: Uint8Array): unknown {
  try {
    return JSON.parse(new (requireGlobal("TextDecoder"))().decode(json));
  } catch (cause) {
    throw invalidFrame(format, "a header of JSON", "something else", cause);
  }
}

/**
 * Writes the CRC of `bytes` from `start` to `end` behind them, and returns where that ends. It
 * follows that of `before`, such as the part's place in the file, by which parts are told apart.
 */
export function writeCrc(bytes: Uint8Array, start: number, end: number, before = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + end, CRC_BYTES);
  view.setUint32(0, crc32(bytes.subarray(start, end), before), true);
  return end + CRC_BYTES;
}

/** The bytes without the CRC at their end. Throws INVALID_FILE where it is not theirs. */
export function checkCrc(
  format: FrameFormat,
  what: string,
  bytes: Uint8Array,
  before = 0,
): Uint8Array {
  const checked = bytes.subarray(0, -CRC_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset + checked.length, CRC_BYTES);
  const [expected, got] = [view.getUint32(0, true), crc32(checked, before)];
  if (expected === got) return checked;
  throw invalidFrame(format, `the checksum ${expected} of ${what}`, `${got}: the file is damaged`);
}

/** INVALID_FILE, naming the kind of file. */
export function invalidFrame(
  { name }: FrameFormat,
  expected: string,
  got: string,
  cause?: unknown,
): PlmError {
  const message = `${name}: expected ${expected}, got ${got}`;
  return new PlmError("INVALID_FILE", message, cause === undefined ? {} : { cause });
}
