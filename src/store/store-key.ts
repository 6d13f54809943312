/** The keys of the store's entries. */

import platform from "#platform";
import { requireGlobal } from "../globals.js";

/** The most of a key's readable part. */
const NAME_LENGTH = 60;

/**
 * The key of the file at a URL: what its name says, and a hash of the whole URL. Whatever the URL
 * has, the key is one name in any file system, and distinct where names ignore case.
 */
export async function storeKey(url: URL): Promise<string> {
  const last = url.pathname.split("/").at(-1) ?? "";
  const name = last
    .toLowerCase()
    .replace(/%[\da-f]{2}|[^a-z0-9_-]+/g, "-")
    .slice(0, NAME_LENGTH);
  const hash = await platform.createSha256();
  hash.update(new (requireGlobal("TextEncoder"))().encode(url.href));
  return `${name}-${hash.digest().slice(0, 24)}`;
}
