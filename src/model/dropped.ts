/** What is to end when nobody can reach its owner any more and nobody disposed of it. */

const registry =
  globalThis.FinalizationRegistry && new FinalizationRegistry<() => void>((end) => end());

/**
 * Calls `end`, which must not refer to `owner`, some time after the owner was collected; never
 * where the runtime does not say. `end` must bear being called after the owner was disposed of.
 */
export function endWhenDropped(owner: object, end: () => void): void {
  registry?.register(owner, end);
}
