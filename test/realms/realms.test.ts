/**
 * Objects of other realms, as iframes, jsdom and vm contexts pass them, and realms that lack
 * globals: the package itself is loaded into a vm context, where every object of Node is foreign.
 */
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { runInNewContext } from "node:vm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { brandOf, bytesOf } from "../../src/brands.js";
import { kindOf } from "../../src/describe.js";
import { PlmError } from "../../src/errors.js";
import { type ModelSource, openSources } from "../../src/sources/source.js";
import { sampleFile } from "../format/support/sample.js";

const REPORT = promisify(execFile)(process.execPath, [
  ...["--experimental-vm-modules", "--no-warnings", resolve("build/test/realms/support/run.js")],
]).then(({ stdout }) => JSON.parse(stdout));

test("missing globals are named, one after another", async () => {
  const { missing, missingForUrl } = await REPORT;
  assert.equal(missing, ["TextDecoder", "TextEncoder", "atob"]);
  assert.equal(missingForUrl, ["URL", "fetch"]);
});

test("a package in another realm takes every object of this one", async () => {
  const { expected, objects, fetched } = await REPORT;
  assert.is(fetched, expected);
  assert.is(Object.keys(objects).length, 10);
  for (const [name, tokens] of Object.entries(objects)) assert.is(tokens, expected, name);
});

test("Maps, messages, arrays for logits and errors of another realm", async () => {
  const { expected, uses } = await REPORT;
  assert.is(uses.chat, expected);
  assert.is(uses.biased, "65,65,65,65,65");
  assert.is(uses.isOut, true);
  assert.is(uses.isInstance, false);
  assert.equal(uses.restored, [true, "INVALID_FILE", true]);
});

/** A value that a script makes in a realm of its own. */
const foreign = (script: string): unknown =>
  runInNewContext(script, { bytes: [...sampleFile()], URL, atob });

test("sources of another realm", async () => {
  const file = sampleFile();
  const scripts = {
    bytes: "Uint8Array.from(bytes)",
    buffer: "Uint8Array.from(bytes).buffer",
    view: "new DataView(Uint8Array.from(bytes).buffer)",
    shared: "const s = new SharedArrayBuffer(bytes.length); new Uint8Array(s).set(bytes); s",
    list: "[Uint8Array.from(bytes)]",
    generator: "(function* () { for (const b of bytes) yield Uint8Array.of(b); })()",
    generatorOfBuffers: "(async function* () { yield Uint8Array.from(bytes).buffer; })()",
    stream: `({ getReader() {
      const chunks = [Uint8Array.from(bytes)];
      return { read: async () => ({ done: !chunks.length, value: chunks.pop() }), cancel() {} };
    } })`,
    blob: `class Blob {
      constructor(bytes) { this.bytes = bytes; this.size = bytes.length; }
      slice(start, end) { return new Blob(this.bytes.slice(start, end)); }
      async arrayBuffer() { return Uint8Array.from(this.bytes).buffer; }
    }
    new Blob(bytes)`,
    reader: `({ name: "own", size: bytes.length, sequential: false, async close() {},
      async read(offset, target) {
        const found = bytes.slice(offset, offset + target.length);
        target.set(found);
        return found.length;
      } })`,
  };
  for (const [name, script] of Object.entries(scripts)) {
    const [source] = await openSources(foreign(script) as ModelSource);
    const target = new Uint8Array(file.length);
    assert.is(await source.read(0, target), file.length, name);
    assert.equal(target, file, name);
    await source.close();
  }
});

test("brands show what a value is, not what it claims", () => {
  assert.is(brandOf(foreign("new Map()")), "Map");
  assert.is(brandOf(foreign("new Float32Array(1)")), "Float32Array");
  assert.equal(bytesOf("x", foreign("Uint16Array.of(258)")), Uint8Array.of(2, 1));
  assert.is(bytesOf("x", foreign("[1, 2]")), undefined);
  assert.is(bytesOf("x", "ab"), undefined);
  const bytes = sampleFile();
  assert.is(bytesOf("x", bytes)!.buffer, bytes.buffer);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  for (const gone of [bytes, bytes.buffer, new DataView(new ArrayBuffer(0))]) {
    if (gone instanceof DataView) structuredClone(gone.buffer, { transfer: [gone.buffer] });
    assert.throws(
      () => bytesOf("source", gone),
      (error: unknown) => PlmError.from(error)?.code === "INVALID_ARGUMENT",
    );
  }
  assert.is(kindOf(foreign("new (class Foo {})()")), "an object of class Foo");
  assert.is(kindOf(foreign("Object.create(null)")), "an object of class Object");
  assert.is(kindOf(Promise.resolve()), "a Promise; await it");
  assert.is(kindOf(undefined), "nothing");
});

test.run();
