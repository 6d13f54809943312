/** Reads rows of a tensor from their file. */
import { PlmError } from "../errors.js";
import type { Gguf } from "../format/gguf.js";
import { type Chunk, chunkBytes } from "./chunks.js";

/**
 * Fills `slot`, of the chunk's staged bytes, with its rows and then zeros. Throws INVALID_FILE for
 * a file that ends early, and what the source throws.
 */
export async function readChunk(
  { sources }: Pick<Gguf, "sources">,
  chunk: Chunk,
  slot: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  const { tensor, firstRow, rowBytes } = chunk;
  const bytes = chunkBytes(chunk);
  const source = sources[tensor.file];
  const offset = tensor.offset + firstRow * rowBytes;
  const read = await source.read(offset, slot.subarray(0, bytes), signal);
  if (read < bytes) {
    throw new PlmError(
      "INVALID_FILE",
      `${source.name}: ${tensor.name} expected ${bytes} bytes at ${offset}, got ${read}`,
    );
  }
  slot.fill(0, bytes);
}
