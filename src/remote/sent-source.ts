/**
 * Sources as they cross the border: places and blobs as they are, which the worker opens; all else
 * stays with the caller, which reads for the worker.
 */
import { brandOf } from "../brands.js";
import type { ByteSource } from "../format/byte-source.js";
import { isHubName } from "../sources/hub-name.js";
import { isUrl, locate } from "../sources/locate.js";
import type { BlobLike, FileSource } from "../sources/model-source.js";
import type { ModelSource, openSources } from "../sources/source.js";
import { plainSourceOptions, type SourceOptions } from "../sources/source-options.js";

/** A place or a blob: what a worker can open. */
type Openable = { readonly place: string } | { readonly url: string } | { readonly blob: BlobLike };

/** A source that the caller has opened, by its index among them. */
export interface OpenedSource {
  readonly index: number;
  readonly name: string;
  readonly size: number | undefined;
  readonly sequential: boolean;
  readonly isRemote: boolean;
}

export type SentSource =
  | { readonly openable: readonly Openable[]; readonly options: SourceOptions }
  | { readonly opened: readonly OpenedSource[] };

/** A source to send, and what of it stays here, opened by `open`. Throws as that does. */
export async function sendSource(
  source: ModelSource,
  options: SourceOptions & { signal?: AbortSignal | undefined },
  open: typeof openSources,
): Promise<{ sent: SentSource; sources: readonly ByteSource[] }> {
  const list = Array.isArray(source) ? (source as readonly ModelSource[]) : [source];
  const openable = options.fetch === undefined ? list.map(openableOf) : [undefined];
  if (openable.every((each) => each !== undefined)) {
    return { sent: { openable, options: plainSourceOptions(options) }, sources: [] };
  }
  const sources = await open(source, options.signal, options);
  const opened = sources.map(({ name, size, sequential, isRemote = false }, index) => {
    return { index, name, size, sequential, isRemote };
  });
  return { sent: { opened }, sources };
}

/** What the worker opens: a name as the caller would find it. */
function openableOf(source: ModelSource): Openable | undefined {
  if (typeof source === "string") {
    if (isHubName(source)) return { place: source };
    const place = locate(source);
    return typeof place === "string" ? { place } : { url: place.href };
  }
  if (typeof source !== "object" || source === null) return undefined;
  if (isUrl(source as FileSource)) return { url: (source as URL).href };
  return isSendable(source as BlobLike) ? { blob: source as BlobLike } : undefined;
}

/** Whether it is a blob that arrives whole: not all of Node's, of Deno's or of jsdom's do. */
function isSendable(source: BlobLike): boolean {
  if (!["Blob", "File"].includes(brandOf(source))) return false;
  const namesOf = (blob: BlobLike): unknown[] => [brandOf(blob), blob.size, Object(blob).name];
  try {
    const arrived = namesOf(globalThis.structuredClone(source));
    return namesOf(source).every((value, i) => value === arrived[i]);
  } catch {
    return false;
  }
}
