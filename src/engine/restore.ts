/** Restores saved sessions. */
import platform from "#platform";
import { readPages, readSnapshot, type SnapshotModel } from "../cache/read-snapshot.js";
import type { CacheSequence } from "../cache/sequence.js";
import type { ByteSource } from "../format/byte-source.js";

/** What a saved session held. */
export interface Restored {
  readonly sequence: CacheSequence;
  readonly tokens: Uint32Array;
  readonly messages: string | undefined;
}

/**
 * Fills an empty sequence from a saved session; `reserve` makes room for its rows. Throws
 * INVALID_FILE, UNSUPPORTED_FILE, CONTEXT_FULL or CACHE_FULL, and the signal's reason; the sequence
 * then holds no pages.
 */
export async function restoreSequence(
  source: ByteSource,
  model: SnapshotModel,
  sequence: CacheSequence,
  reserve: (sequence: CacheSequence, rows: number) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<Restored> {
  const snapshot = await readSnapshot(source, model, signal);
  const { tokens, messages } = snapshot;
  await reserve(sequence, tokens.length);
  sequence.append(tokens.length);
  try {
    for await (const { layer, index, bytes } of readPages(source, snapshot, signal)) {
      // Bytes in memory leave timers and aborts no turn of their own.
      if (layer === 0) await platform.yieldToEventLoop();
      sequence.page(layer, index).set(bytes);
    }
    return { sequence, tokens, messages };
  } catch (error) {
    sequence.dispose();
    throw error;
  }
}
