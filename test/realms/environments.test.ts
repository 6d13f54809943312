/** Globals that a test environment replaces, as jsdom does, while fetch stays Node's. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type ModelSource, openSources } from "../../src/sources/source.js";
import { sampleFile } from "../format/support/sample.js";
import { serveFiles } from "../sources/support/server.js";

/** An AbortSignal without any part of Node's. */
class OwnSignal extends EventTarget {
  aborted = false;
  reason: unknown;

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }
}

class OwnController {
  readonly signal = new OwnSignal();

  abort(reason: unknown): void {
    Object.assign(this.signal, { aborted: true, reason });
    this.signal.dispatchEvent(new Event("abort"));
  }
}

/** The used part of jsdom's FileReader. */
class OwnReader {
  result: ArrayBuffer | undefined;
  onload: () => void = () => {};

  readAsArrayBuffer(blob: OldBlob): void {
    setImmediate(() => {
      this.result = blob.bytes.slice().buffer as ArrayBuffer;
      this.onload();
    });
  }
}

/** A Blob of an environment where it had no methods for reading. */
class OldBlob {
  readonly bytes: Uint8Array;
  readonly size: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.size = bytes.length;
  }

  slice(start: number, end: number): OldBlob {
    return new OldBlob(this.bytes.slice(start, end));
  }
}

/** Runs `work` while a global is replaced. */
async function withGlobal(name: string, value: unknown, work: () => Promise<void>): Promise<void> {
  const before = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  try {
    await work();
  } finally {
    if (before === undefined) Reflect.deleteProperty(globalThis, name);
    else Object.defineProperty(globalThis, name, before);
  }
}

/** Reads the sample from a source. */
async function checkBytes(source: ModelSource): Promise<void> {
  const [opened] = await openSources(source);
  const target = new Uint8Array(sampleFile().length);
  assert.is(await opened.read(0, target), target.length);
  assert.equal(target, sampleFile());
  await opened.close();
}

test("URLs load if AbortController is not of fetch's kind", async () => {
  const server = await serveFiles({ "/m.gguf": sampleFile() });
  await withGlobal("AbortController", OwnController, () => checkBytes(`${server.url}m.gguf`));
  await server.close();
});

test("a signal of another kind ends a request that hangs", async () => {
  const server = await serveFiles({}, { instead: () => true });
  const controller = new OwnController();
  const signal = controller.signal as unknown as AbortSignal;
  for (const own of [AbortController, OwnController]) {
    await withGlobal("AbortController", own, async () => {
      const opening = openSources(`${server.url}m.gguf`, signal);
      setImmediate(() => controller.abort("enough"));
      assert.is(await opening.catch((reason) => reason), "enough");
    });
  }
  await server.close();
});

test("blobs without arrayBuffer", async () => {
  const source = new OldBlob(sampleFile()) as unknown as ModelSource;
  await withGlobal("FileReader", OwnReader, () => checkBytes(source));
  await withGlobal("FileReader", undefined, async () => {
    const [opened] = await openSources(source);
    const error = await opened.read(0, new Uint8Array(1)).catch((thrown) => thrown);
    assert.is(error.code, "UNSUPPORTED_RUNTIME");
    assert.match(error.message, "FileReader");
  });
});

test.run();
