/** Ways to yield to the event loop that work under fake timers. */

/** Captured once, as the clock is; libraries that fake timers leave it alone. */
const { MessageChannel } = globalThis;

/** Whether a message can be posted to this thread itself. */
export const hasMessages: boolean = typeof MessageChannel === "function";

/** Settles when a message to this thread arrives: in a later macrotask. */
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

/** An empty module. What compiles it takes macrotasks, which no fake replaces. */
const EMPTY_WASM = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

/** A real callback is called while this many are compiled one after another. */
const MODULES = 8;

/**
 * A yield by `schedule`, which calls back in a later macrotask; by messages if the first call shows
 * that it does not, because a fake replaced it before the package was imported. The first call uses
 * no messages, for which Node first loads its HTTP client.
 */
export function createYield(schedule: (callback: () => void) => void): () => Promise<void> {
  let isReal: boolean | undefined;
  const find = async (): Promise<void> => {
    let isCalled = false;
    schedule(() => {
      isCalled = true;
    });
    for (let i = 0; i < MODULES && !isCalled; i++) await WebAssembly.compile(EMPTY_WASM);
    isReal = isCalled;
  };
  return () => {
    if (isReal === undefined && hasMessages) return find();
    return isReal === false ? passMessage() : new Promise((resolve) => schedule(resolve));
  };
}
