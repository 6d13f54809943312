/** The SHA-256 of a file that comes in pieces. */
import platform from "#platform";
import { PlmError, reasonOf } from "../errors.js";

/** A hash of the bytes so far. */
export type Sha256 = Awaited<ReturnType<typeof platform.createSha256>>;

/** A hash of no bytes yet. Throws UNSUPPORTED_RUNTIME on a page that cannot import the library. */
export async function createSha256(): Promise<Sha256> {
  try {
    return await platform.createSha256();
  } catch (cause) {
    const message = `sha256: expected the module @noble/hashes/sha2.js, got ${reasonOf(cause)}`;
    throw new PlmError("UNSUPPORTED_RUNTIME", message, { cause });
  }
}
