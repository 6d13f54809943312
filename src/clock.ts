/**
 * The clock and the timers as they were when this was imported: fake ones, which tests install
 * later, do not stand still or jump for the engine. No `#platform`, for threads import this too.
 */
const { performance } = globalThis;

/** Milliseconds from any start. Where the runtime's own stands still, as in Workers, so does it. */
export const now: () => number =
  typeof performance?.now === "function" ? performance.now.bind(performance) : Date.now.bind(Date);

/** A timer that may be cleared. */
export type Timer = ReturnType<typeof globalThis.setTimeout>;

/** Calls back after at least so many milliseconds. */
export const setTimer: (callback: () => void, ms: number) => Timer =
  globalThis.setTimeout?.bind(globalThis);

export const clearTimer: (timer: Timer | undefined) => void =
  globalThis.clearTimeout?.bind(globalThis);
