/** The promises of both platforms. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { PlmError } from "../../src/errors.js";
import { createYield } from "../../src/platform/event-loop.js";
import node from "../../src/platform/node-imports.js";
import web from "../../src/platform/web.js";

test("a yield lets timers and other tasks run", async () => {
  for (const platform of [node, web]) {
    const order: string[] = [];
    const turn = new Promise<void>((resolve) => {
      setImmediate(() => {
        order.push("other");
        resolve();
      });
    });
    Promise.resolve().then(() => order.push("microtask"));
    await platform.yieldToEventLoop();
    assert.is(order[0], "microtask");
    await turn;
    assert.is(order.length, 2);
  }
});

test("a yield without a callback falls back on messages", async () => {
  const dead = createYield(() => {});
  for (let i = 0; i < 3; i++) await dead();
  let calls = 0;
  const alive = createYield((callback) => {
    calls++;
    setImmediate(callback);
  });
  for (let i = 0; i < 3; i++) await alive();
  assert.is(calls, 3);
});

test("peak memory in bytes, where the runtime reports it", () => {
  const peak = node.peakMemoryBytes();
  assert.ok(peak !== undefined && peak >= 1 << 20, `${peak}`);
  assert.is(web.peakMemoryBytes(), undefined);
});

test("the web has no files", async () => {
  assert.is(web.hasFiles, false);
  const error = await web.openFile("model.gguf").catch((thrown: unknown) => thrown);
  assert.instance(error, PlmError);
  assert.is((error as PlmError).code, "UNSUPPORTED_RUNTIME");
  assert.match((error as PlmError).message, "model.gguf");
});

test.run();
