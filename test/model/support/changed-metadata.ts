/** Metadata with changes, for tests of the config. */
import { ODD_DIMS, tinyMetadata } from "./tiny.js";

export type Changes = Record<string, unknown>;

/** The metadata of a sound model with these keys changed; undefined takes a key away. */
export function metadataWith(changes: Changes): Map<string, unknown> {
  const metadata = new Map<string, unknown>();
  for (const [key, { value }] of tinyMetadata({ dims: ODD_DIMS })) metadata.set(key, value);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) metadata.delete(key);
    else metadata.set(key, value);
  }
  return metadata;
}
