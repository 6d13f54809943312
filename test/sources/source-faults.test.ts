/** Invalid arguments and sources, and their errors. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openGguf } from "../../src/format/gguf.js";
import { loadModel } from "../../src/generation/load-model.js";
import { type ModelSource, openSources } from "../../src/sources/source.js";
import { sampleFile } from "../format/support/sample.js";
import { tinyModel } from "../model/support/tiny.js";
import { errorOf } from "./support/error-of.js";

const file = sampleFile();

test("a null signal is like none", async () => {
  const signal = null as unknown as AbortSignal;
  const model = await loadModel(tinyModel(), { signal, threads: 1 });
  assert.is((await model.generate("a", { signal, maxTokens: 1 }).result()).tokens.length, 1);
  await model.createSession().evaluate([1], { signal });
  model.dispose();
  await openGguf(await openSources(new Blob([file]).stream(), signal), signal);
});

test("arrays in themselves, an empty path and options of null", async () => {
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  const deep = await errorOf(openSources(cyclic as ModelSource), "INVALID_ARGUMENT");
  assert.match(deep.message, "nested over 8 deep");
  const empty = await errorOf(openSources(""), "INVALID_ARGUMENT");
  assert.is(empty.message, 'source: expected a path or URL, got ""');
  const options = await errorOf(openSources(file, undefined, null as never), "INVALID_ARGUMENT");
  assert.is(options.message, "options: expected an object, got null");
});

test("a picked file that is gone", async () => {
  const cause = new Error("the file was not found");
  const gone = { kind: "file", name: "m.gguf", getFile: () => Promise.reject(cause) };
  const error = await errorOf(openSources(gone as ModelSource), "UNREADABLE_FILE");
  assert.is(error.message, "m.gguf: the file was not found");
  assert.is(error.cause, cause);
});

test("URLs in a runtime's reason are without query and credentials", async () => {
  const fetch = () =>
    Promise.reject(new TypeError("sending failed (http://u:pw@host/m.gguf?token=x%20): reset"));
  const source = openSources("http://host/m.gguf?token=x", undefined, { fetch });
  const [opened] = await source.catch(() => [undefined]);
  const error = await errorOf(
    opened ? opened.read(0, new Uint8Array(9)) : source,
    "UNREADABLE_FILE",
  );
  assert.match(error.message, "(http://host/m.gguf): reset");
  assert.not.match(error.message, /token|pw/);
});

test.run();
