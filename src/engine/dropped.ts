/** What is to end when nothing can reach its owner any more and nobody disposed of it. */

const registry =
  globalThis.FinalizationRegistry && new FinalizationRegistry<() => void>((end) => end());

/**
 * Calls `end`, which must not refer to `owner`, some time after the owner was collected; never
 * where the runtime does not say.
 */
export function endWhenDropped(owner: object, end: () => void): void {
  registry?.register(owner, end, owner);
}

/** The owner was disposed of: nothing is left to end, and what `end` refers to may go. */
export function disposedOf(owner: object): void {
  registry?.unregister(owner);
}
