/**
 * The clock and the timers as they were when this was imported: fakes that tests install later do
 * not affect the engine. Without `#platform`, since threads import this too.
 */
const { performance } = globalThis;

/** Milliseconds from any start. Stands still where the runtime's own clock does, as in Workers. */
export const now: () => number =
  typeof performance?.now === "function" ? performance.now.bind(performance) : Date.now.bind(Date);

/** A timer that can be cleared. */
export type Timer = ReturnType<typeof globalThis.setTimeout>;

/** Calls back after at least that many milliseconds. */
export const setTimer: (callback: () => void, ms: number) => Timer =
  globalThis.setTimeout?.bind(globalThis);

export const clearTimer: (timer: Timer | undefined) => void =
  globalThis.clearTimeout?.bind(globalThis);

/** What a promise comes to; an Error says so if it takes longer, where there are timers. */
export async function inTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  if (setTimer === undefined) return promise;
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimer(() => reject(new Error(`no answer in ${ms / 1000} seconds`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimer(timer);
  }
}

export interface Clock {
  now(): number;
  /**
   * Calls back after at least that many milliseconds, or at once where there are no timers; what it
   * returns prevents that.
   */
  after(ms: number, callback: () => void): () => void;
}

export const clock: Clock = {
  now,
  after(ms, callback) {
    if (setTimer === undefined) {
      callback();
      return () => undefined;
    }
    const timer = setTimer(callback, ms);
    return () => clearTimer(timer);
  },
};
