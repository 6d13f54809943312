/**
 * Memories that are not used any more but not yet collected. An engine that does not count shared
 * memory, or is late to collect it, may keep several gigabytes of them.
 */
import platform from "#platform";
import { brandOf } from "../brands.js";

/** Weakly held, and how many bytes each has. */
const released = new Map<WeakRef<WebAssembly.Memory>, number>();

/** Less than this may wait: collecting takes as long as the program's own heap is large. */
const LEAST_BYTES = 64 << 20;

/**
 * Attempts to have them collected, and the time between them: threads that return still refer to
 * their memory. What a caller refers to for longer is let be.
 */
const ATTEMPTS = 6;
const PAUSE_MS = 10;

/** Nothing computes with this memory any more. */
export function release(memory: WebAssembly.Memory): void {
  if (brandOf(memory.buffer) !== "SharedArrayBuffer") return;
  released.set(new WeakRef(memory), memory.buffer.byteLength);
}

/** Has the engine collect released memories, before another is allocated. */
export async function collectReleased(): Promise<void> {
  if (platform.collectSharedMemory === undefined) return;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // A memory that was looked at lives until the end of the present event.
    await platform.yieldToEventLoop();
    if (bytesLeft() < LEAST_BYTES) return;
    if (attempt > 0) pause();
    await platform.yieldToEventLoop();
    platform.collectSharedMemory();
  }
  if (bytesLeft() >= LEAST_BYTES) released.clear();
}

/** Bytes of those that are still there. */
function bytesLeft(): number {
  let bytes = 0;
  for (const [memory, size] of released) {
    if (memory.deref() === undefined) released.delete(memory);
    else bytes += size;
  }
  return bytes;
}

/** Without a timer, which may be a fake. */
function pause(): void {
  if (!platform.maySleep()) return;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
