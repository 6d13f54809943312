/** Random identifiers of answers. */
import { requireGlobal } from "../globals.js";

/** A prefix and 24 random letters and digits. */
export function createIdentifier(prefix: string): string {
  const bytes = requireGlobal("crypto").getRandomValues(new Uint8Array(24));
  return prefix + Array.from(bytes, (byte) => (byte % 36).toString(36)).join("");
}
