/** The SHA-256 of a file that comes in pieces. */
import platform from "#platform";
import { PlmError, reasonOf } from "../errors.js";
import type { Sha256 } from "../format/sha256.js";

/** A hash of no bytes yet. Throws UNSUPPORTED_RUNTIME on a page that cannot import the library. */
export async function createSha256(): Promise<Sha256> {
  try {
    return await platform.createSha256();
  } catch (cause) {
    const message = `sha256: expected the module @noble/hashes/sha2.js, got ${reasonOf(cause)}`;
    throw new PlmError("UNSUPPORTED_RUNTIME", message, { cause });
  }
}
