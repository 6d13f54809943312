/**
 * Memories that are not used any more but not yet collected. An engine that does not count shared
 * memory may keep several gigabytes of them.
 */
import platform from "#platform";
import { brandOf } from "../brands.js";
import { setTimer } from "../clock.js";

const released = new Set<WeakRef<WebAssembly.Memory>>();

/**
 * Attempts to have them collected, and the time between them: threads that return still refer to
 * their memory, and a caller may for longer.
 */
const ATTEMPTS = 6;
const ATTEMPT_MS = 10;

/** Nothing computes with this memory any more. */
export function release(memory: WebAssembly.Memory): void {
  if (brandOf(memory.buffer) !== "SharedArrayBuffer") return;
  released.add(new WeakRef(memory));
}

/** Has the engine collect released memories, before another is allocated. */
export async function collectReleased(): Promise<void> {
  if (released.size === 0) return;
  // A memory that was looked at lives until the end of the present event.
  await platform.yieldToEventLoop();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    platform.collectSharedMemory();
    for (const memory of released) if (memory.deref() === undefined) released.delete(memory);
    if (released.size === 0) return;
    await new Promise<void>((resolve) => setTimer(resolve, ATTEMPT_MS));
  }
}
