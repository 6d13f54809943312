/**
 * The manifest of a stored file: where it came from, and which blocks are there. It is trusted only
 * as far as the blocks agree with it.
 */
import { requireGlobal } from "../globals.js";
import type { FileFacts } from "./file-facts.js";

/** The manifest's form; another is not read. */
const VERSION = 1;

/** Bytes of a block: what a lost connection or a crash can cost. */
export const BLOCK_BYTES: number = 4 << 20;

/** The largest file: what arithmetic on offsets keeps exact is far above it. */
const MOST_BYTES = 2 ** 42;

export interface Manifest {
  readonly facts: FileFacts;
  /** The CRC-32 of each block; undefined for those that are missing. */
  readonly blocks: (number | undefined)[];
  /** Whether all blocks are there and the file was checked. */
  isWhole: boolean;
}

/** A manifest without blocks. */
export function emptyManifest(facts: FileFacts): Manifest {
  const blocks = Array<undefined>(blockCount(facts.size)).fill(undefined);
  return { facts, blocks, isWhole: false };
}

export function blockCount(size: number): number {
  return Math.ceil(size / BLOCK_BYTES);
}

/** The length of a file's block. */
export function blockLength(size: number, index: number): number {
  return Math.min(BLOCK_BYTES, size - index * BLOCK_BYTES);
}

/** Bytes of the blocks that are there. */
export function storedBytes({ facts, blocks }: Manifest): number {
  return blocks.reduce<number>(
    (sum, crc, i) => sum + (crc === undefined ? 0 : blockLength(facts.size, i)),
    0,
  );
}

/** The manifest as bytes. */
export function encodeManifest({ facts, blocks, isWhole }: Manifest): Uint8Array {
  const crcs = blocks.map((crc) => (crc === undefined ? "" : crc.toString(16)));
  const text = JSON.stringify({ version: VERSION, ...facts, isWhole, blocks: crcs.join() });
  return new (requireGlobal("TextEncoder"))().encode(text);
}

/** The manifest in the bytes; undefined for anything that is not one. */
export function parseManifest(bytes: Uint8Array): Manifest | undefined {
  const fields = parseObject(bytes);
  const { version, source, size, isWhole, blocks } = fields;
  if (version !== VERSION || typeof source !== "string" || typeof isWhole !== "boolean") {
    return undefined;
  }
  const isSize =
    Number.isSafeInteger(size) && (size as number) > 0 && (size as number) < MOST_BYTES;
  if (
    !isSize ||
    typeof blocks !== "string" ||
    !/^(?:[\da-f]{1,8})?(?:,[\da-f]{0,8})*$/.test(blocks)
  ) {
    return undefined;
  }
  const crcs = blocks.split(",").map((crc) => (crc === "" ? undefined : Number.parseInt(crc, 16)));
  if (crcs.length !== blockCount(size as number)) return undefined;
  if (isWhole && crcs.includes(undefined)) return undefined;
  const text = (value: unknown): string | undefined =>
    typeof value === "string" ? value : undefined;
  const facts = {
    ...{ source, size: size as number, sha256: text(fields.sha256) },
    ...{ etag: text(fields.etag), lastModified: text(fields.lastModified) },
  };
  return { facts, blocks: crcs, isWhole };
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  try {
    return Object(JSON.parse(new (requireGlobal("TextDecoder"))().decode(bytes)));
  } catch {
    return {};
  }
}
