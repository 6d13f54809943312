/** A file in the store: its manifest, and its blocks, checked as they are read. */
import { crc32 } from "../format/crc32.js";
import type { StoreEntry } from "./file-store.js";
import { BLOCK_BYTES, blockLength, type Manifest, parseManifest } from "./manifest.js";

/** The manifest of an entry; undefined if there is none that can be used. */
export async function readManifest(entry: StoreEntry): Promise<Manifest | undefined> {
  const bytes = await entry.readManifest();
  return bytes && parseManifest(bytes);
}

/** Reads a block into the target's front; whether it is there as it was stored. */
export async function readStoredBlock(
  entry: StoreEntry,
  { facts, blocks }: Manifest,
  index: number,
  target: Uint8Array,
): Promise<boolean> {
  const bytes = target.subarray(0, blockLength(facts.size, index));
  const read = await entry.readBlock(index, bytes, BLOCK_BYTES);
  return read === bytes.length && crc32(bytes) === blocks[index];
}
