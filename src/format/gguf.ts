/** GGUF files: what is in them. Versions 2 and 3, little-endian, in one file or several parts. */

import { checkSignal } from "../brands.js";
import { describeValue } from "../describe.js";
import { invalidArgument, PlmError, quote } from "../errors.js";
import type { ByteSource } from "./byte-source.js";
import type { ByteRange } from "./cursor.js";
import { type Header, readHeader } from "./header.js";
import type { GgufValue } from "./metadata.js";
import type { TensorInfo } from "./tensors.js";

/** An opened model file: all that its header says. */
export interface Gguf {
  version: number;
  metadata: Map<string, GgufValue>;
  /** Where each metadata entry, its key and type included, lies in the first file. */
  metadataRanges: Map<string, ByteRange>;
  /** In the order of the file. */
  tensors: Map<string, TensorInfo>;
  /** To be read for tensor data, instead of those given to `openGguf`. */
  sources: ByteSource[];
}

/**
 * Reads and checks the headers of a file, or of all parts of a split file in order. No tensor data
 * is read. Throws INVALID_FILE for damage (anything that the bytes or the parts contradict),
 * UNSUPPORTED_FILE for a sound file of another GGUF version, byte order or tensor type, and passes
 * on what the sources throw. The sources stay the caller's to close.
 */
export async function openGguf(sources: ByteSource[], signal?: AbortSignal): Promise<Gguf> {
  const checked = checkSignal(signal);
  checked?.throwIfAborted();
  if (sources.length === 0) throw invalidArgument("sources", "one or more", "none");
  const parts: Header[] = [];
  for (const source of sources) parts.push(await readHeader(source, checked));
  const isSplit = countOf(parts[0], "split.count", 1) > 1;
  if (isSplit || parts.length > 1) checkParts(parts);
  const tensors = new Map<string, TensorInfo>();
  for (const [file, part] of parts.entries()) {
    for (const tensor of part.tensors) {
      if (tensors.has(tensor.name)) {
        throw invalidPart(part, `tensor ${quote(tensor.name)} is in an earlier part, too`);
      }
      tensors.set(tensor.name, { ...tensor, file });
    }
  }
  if (isSplit) checkTensorCount(parts[0], tensors.size);
  const { version, metadata, metadataRanges } = parts[0];
  const dataSources = parts.map((part) => part.source);
  return { version, metadata, metadataRanges, tensors, sources: dataSources };
}

function invalidPart(part: Header, message: string): PlmError {
  return new PlmError("INVALID_FILE", `${part.source.name}: ${message}`);
}

/** A metadata count, or `otherwise` where the key is missing. */
function countOf(part: Header, key: string, otherwise: number): number {
  const value = part.metadata.get(key) ?? otherwise;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
  throw invalidPart(part, `${key} is ${describeValue(value)}, not a count`);
}

/**
 * Checks that all parts are there, in order. Only the first has to say how many there are. In a
 * file that is whole the keys of a split say nothing: tools that merge parts leave some behind.
 */
function checkParts(parts: Header[]): void {
  for (const [i, part] of parts.entries()) {
    const count = Math.max(countOf(part, "split.count", i === 0 ? 1 : parts.length), 1);
    const index = countOf(part, "split.no", 0);
    if (count !== parts.length) {
      throw invalidPart(part, `a part of ${count} (split.count), but ${parts.length} given`);
    }
    if (index !== i) {
      throw invalidPart(part, `given as part ${i + 1}, but it is part ${index + 1} (split.no)`);
    }
  }
}

function checkTensorCount(first: Header, found: number): void {
  const count = countOf(first, "split.tensors.count", found);
  if (count === found) return;
  throw invalidPart(first, `split.tensors.count is ${count}, but all parts have ${found} tensors`);
}
