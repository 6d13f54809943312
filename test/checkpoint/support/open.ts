/** Opens the files of a folder that are in memory. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openModel, type QuantizeChoice } from "../../../src/checkpoint/open-model.js";
import type { Gguf } from "../../../src/format/gguf.js";
import { openSources } from "../../../src/sources/source.js";
import type { Files } from "./checkpoint.js";

/** The files as a program has them from an input of a page. */
export function asFileList(files: Files): File[] {
  return Array.from(files, ([name, bytes]) => new File([bytes], name));
}

export async function openFiles(files: Files, quantize?: QuantizeChoice): Promise<Gguf> {
  const options = quantize === undefined ? {} : { quantize };
  return openModel(await openSources(asFileList(files)), options);
}

/** All bytes of the GGUF file that the folder is read as. */
export async function bytesOf({ sources: [source] }: Gguf): Promise<Uint8Array> {
  const bytes = new Uint8Array(source.size!);
  await source.read(0, bytes);
  return bytes;
}

/** The tensor's bytes. */
export async function tensorBytesOf({ sources, tensors }: Gguf, name: string): Promise<Uint8Array> {
  const { offset, byteLength, file } = tensors.get(name)!;
  const bytes = new Uint8Array(byteLength);
  await sources[file].read(offset, bytes);
  return bytes;
}

/** Runs `use` with a folder of the files, which is removed at the end. */
export async function withFolder<T>(files: Files, use: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "plm checkpoint é-"));
  try {
    for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
