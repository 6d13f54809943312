/**
 * Memories that are no longer used but not yet collected. An engine that does not count shared
 * memory, or collects it late, may keep several gigabytes of them.
 */
import platform from "#platform";
import { brandOf } from "../brands.js";

/** Weak references to the memories, with their bytes. */
const released = new Map<WeakRef<WebAssembly.Memory>, number>();

/** Less than this may wait: the time to collect grows with the program's own heap. */
const LEAST_BYTES = 64 << 20;

/**
 * Attempts to collect them, and the time between attempts: returning threads still refer to their
 * memory. What a caller keeps for longer is left alone.
 */
const ATTEMPTS = 6;
const PAUSE_MS = 10;

/** Records that nothing computes with this memory any more. */
export function release(memory: WebAssembly.Memory): void {
  if (brandOf(memory.buffer) !== "SharedArrayBuffer") return;
  released.set(new WeakRef(memory), memory.buffer.byteLength);
}

/** Makes the engine collect released memories before another is allocated. */
export async function collectReleased(): Promise<void> {
  if (platform.collectSharedMemory === undefined) return;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // A memory whose weak reference was read lives until the end of the current event.
    await platform.yieldToEventLoop();
    if (bytesLeft() < LEAST_BYTES) return;
    if (attempt > 0) pause();
    await platform.yieldToEventLoop();
    platform.collectSharedMemory();
  }
  if (bytesLeft() >= LEAST_BYTES) released.clear();
}

/** Bytes of the memories not yet collected. */
function bytesLeft(): number {
  let bytes = 0;
  for (const [memory, size] of released) {
    if (memory.deref() === undefined) released.delete(memory);
    else bytes += size;
  }
  return bytes;
}

/** Without a timer, which may be fake. */
function pause(): void {
  if (!platform.maySleep()) return;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
