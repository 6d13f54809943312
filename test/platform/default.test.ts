/** The platform without a condition, as bundlers without a `node` condition choose it. */
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { PlmError } from "../../src/errors.js";
import { builtin } from "../../src/platform/builtin.js";
import platform from "../../src/platform/default.js";

const DEFAULT_PLATFORM = new URL("../../src/platform/default.js", import.meta.url).href;

/** The default platform after a program prepared the globals. */
async function hasFilesAfter(preparation: string): Promise<boolean> {
  const program = `
    ${preparation}
    import("${DEFAULT_PLATFORM}").then(({ default: platform }) => {
      require("worker_threads").parentPort.postMessage(platform.hasFiles);
    });
  `;
  const worker = new Worker(program, { eval: true });
  const [hasFiles] = await once(worker, "message");
  await worker.terminate();
  return hasFiles;
}

test("Node is recognized without a condition", async () => {
  assert.ok(platform.hasFiles && platform.hasThreads());
  const source = await platform.openFile(fileURLToPath(import.meta.url));
  assert.ok((source.size ?? 0) > 0);
  await source.close();
  const error = await platform.openFile("no-such-file").catch((thrown: unknown) => thrown);
  assert.instance(error, PlmError);
  assert.is((error as PlmError).code, "UNREADABLE_FILE");
});

test("a runtime with only parts of Node is not Node", async () => {
  assert.is(await hasFilesAfter(""), true);
  assert.is(await hasFilesAfter("process.type = 'renderer';"), false);
  assert.is(await hasFilesAfter("process.getBuiltinModule = undefined;"), false);
  assert.is(await hasFilesAfter("process.getBuiltinModule = () => undefined;"), false);
  assert.is(await hasFilesAfter("globalThis.process = { env: {} };"), false);
  const workerd = "{ userAgent: 'Cloudflare-Workers' }";
  const navigator = `Object.defineProperty(globalThis, 'navigator', { value: ${workerd} });`;
  assert.is(await hasFilesAfter(navigator), false);
});

test("Node's modules are found by name", () => {
  assert.is(builtin("node:worker_threads")?.Worker, Worker);
});

test.run();
