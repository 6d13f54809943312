/** Ends what belongs to an owner that was dropped without being disposed of. */

const registry =
  globalThis.FinalizationRegistry && new FinalizationRegistry<() => void>((end) => end());

/**
 * Calls `end`, which must not refer to `owner`, some time after the owner is collected; never in a
 * runtime without FinalizationRegistry.
 */
export function endWhenDropped(owner: object, end: () => void): void {
  registry?.register(owner, end, owner);
}

/** To be called when the owner is disposed of: `end` is then neither called nor kept. */
export function disposedOf(owner: object): void {
  registry?.unregister(owner);
}
