/** Ids of calls, as OpenAI's API makes them. */

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LENGTH = 24;

/** `call_` and 24 random letters and digits. `randomByte` gives an integer in [0, 256). */
export function createCallId(randomByte: () => number = secureByte): string {
  let id = "call_";
  while (id.length < "call_".length + LENGTH) {
    // 248 is the last multiple of 62: beyond it, the first letters would be more frequent.
    const byte = randomByte();
    if (byte < 248) id += LETTERS[byte % LETTERS.length];
  }
  return id;
}

/** A byte from the platform's generator; from Math.random where there is none. */
function secureByte(): number {
  const { crypto } = globalThis;
  if (crypto === undefined) return Math.floor(Math.random() * 256);
  return crypto.getRandomValues(new Uint8Array(1))[0];
}
