/** Ways to let the event loop have its turn that go on under fake timers. */

/** Taken once, as the clock is; what fakes timers leaves it alone. */
const { MessageChannel } = globalThis;

/** Whether a message can be passed to oneself. */
export const hasMessages: boolean = typeof MessageChannel === "function";

/** Settles after a message to oneself has come: in a later macrotask. */
export function passMessage(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Messages within which a callback that is real has been called. */
const MESSAGES = 8;

/**
 * A yield by `schedule`, which calls back in a later macrotask; by messages if the first time it
 * turns out not to, because it was replaced by a fake before the package was imported.
 */
export function createYield(schedule: (callback: () => void) => void): () => Promise<void> {
  let isReal: boolean | undefined;
  const find = async (): Promise<void> => {
    let isCalled = false;
    schedule(() => {
      isCalled = true;
    });
    for (let i = 0; i < MESSAGES && !isCalled; i++) await passMessage();
    isReal = isCalled;
  };
  return () => {
    if (isReal === undefined && hasMessages) return find();
    return isReal === false ? passMessage() : new Promise((resolve) => schedule(resolve));
  };
}
