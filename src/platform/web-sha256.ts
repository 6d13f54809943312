/** SHA-256 in pieces, which the web's own cannot do. */
import type { Sha256 } from "../format/sha256.js";

/** Imports the library only now: pages without a bundler name it in their import map. */
export async function createWebSha256(): Promise<Sha256> {
  const { sha256 } = await import("@noble/hashes/sha2.js");
  const hash = sha256.create();
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => Array.from(hash.digest(), hexadecimal).join(""),
  };
}

function hexadecimal(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
