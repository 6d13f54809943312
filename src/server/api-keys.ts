/** Bearer keys. */
import { sha256 } from "@noble/hashes/sha2.js";
import { requireGlobal } from "../globals.js";
import { HttpError } from "./http-error.js";

/** Checks the key of a request. Throws HttpError 401. */
export type KeyCheck = (headers: Headers) => void;

/** The check for these keys; for none, every request passes. */
export function createKeyCheck(keys: readonly string[]): KeyCheck {
  if (keys.length === 0) return () => {};
  const digests = keys.map(digestOf);
  return (headers) => {
    const [, key] = /^Bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "") ?? [];
    const digest = digestOf(key ?? "");
    // Neither the key's length nor its place among the keys changes how long this takes.
    let isKnown = 0;
    for (const known of digests) isKnown |= isEqual(known, digest);
    if (key !== undefined && isKnown === 1) return;
    const got = key === undefined ? "none" : "another";
    const message = `authorization: expected a Bearer key of this server, got ${got}`;
    throw new HttpError(401, message, { code: "invalid_api_key" });
  };
}

function digestOf(key: string): Uint8Array {
  return sha256(new (requireGlobal("TextEncoder"))().encode(key));
}

/** 1 for equal digests, else 0; always in the same time. */
function isEqual(a: Uint8Array, b: Uint8Array): number {
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
  return difference === 0 ? 1 : 0;
}
