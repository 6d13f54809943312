/** Conformance: a model is the same from every kind of source. */
import type { ByteSource, LoadOptions, ModelSource } from "../../src/index.js";
import { makeCheckpoint } from "../checkpoint/support/checkpoint.js";
import { tinyModel } from "../model/support/tiny.js";
import { type Check, equal, logitsOf, PROMPT, type Subject } from "./subject.js";

/** Loads from a source, checks that it is the same model, disposes. */
async function loadsFrom({ model, load }: Subject, source: ModelSource): Promise<void> {
  const other = await load(source);
  equal([...(await logitsOf(other, PROMPT))], [...(await logitsOf(model, PROMPT))]);
  other.dispose();
}

/** The file in pieces of 10,000 bytes, which can end inside a tensor. */
function streamOf(file: Uint8Array): ReadableStream<Uint8Array> {
  let offset = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (offset >= file.length) return controller.close();
      controller.enqueue(file.slice(offset, offset + 10_000));
      offset += 10_000;
    },
  });
}

/** A custom byte-range reader. */
function byteSourceOf(file: Uint8Array): ByteSource {
  return {
    name: "memory",
    size: file.length,
    sequential: false,
    async read(offset, target) {
      const bytes = file.subarray(offset, offset + target.length);
      target.set(bytes);
      return bytes.length;
    },
    async close() {},
  };
}

/** The files of a Hugging Face folder, as an input of a page has them. */
async function loadsFolder({ load }: Subject): Promise<void> {
  const file = tinyModel();
  const files = await makeCheckpoint(file, { interleaved: false, shards: 2 });
  const list = Array.from(files, ([name, bytes]) => new File([bytes], name));
  const [folder, gguf] = [await load(list), await load(file)];
  const text = "Once upon a time";
  equal([...(await logitsOf(folder, text))], [...(await logitsOf(gguf, text))]);
  folder.dispose();
  gguf.dispose();
}

/** Sources of a model, and loading. */
export const SOURCE_CHECKS: Record<string, Check> = {
  "source: an ArrayBuffer": (subject) => loadsFrom(subject, subject.file.buffer),
  "source: a Blob": (subject) => loadsFrom(subject, new Blob([subject.file])),
  "source: a ReadableStream": (subject) => loadsFrom(subject, streamOf(subject.file)),
  "source: a ByteSource": (subject) => loadsFrom(subject, byteSourceOf(subject.file)),
  "source: the files of a Hugging Face folder": loadsFolder,
  "loading tells its progress": async ({ file, load }) => {
    let fraction = 0;
    const onProgress: LoadOptions["onProgress"] = ({ loadedBytes, totalBytes }) => {
      fraction = loadedBytes / totalBytes;
    };
    (await load(file, { onProgress })).dispose();
    equal(fraction, 1);
  },
};
