/** `using` and `await using`, as compilers and engines run them: by their symbols. */
import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import process from "node:process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Conversation, loadModel, type Model, type Session } from "../../src/index.js";
import { rejection } from "../model/support/engine.js";
import { tinyModel } from "../model/support/tiny.js";

const FILE = tinyModel({ type: "Q8_0", chatTemplate: "{{ messages[0].content }}" });
const LONG = { maxTokens: 20, ignoreEos: true, temperature: 1, seed: 1 };

const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  ((await rejection(promise)) as { code?: string }).code;

/** What `using` does at the end of its block. */
function end(value: Model | Session | Conversation): void {
  value[Symbol.dispose]();
}

test("models, sessions and conversations are disposed of", async () => {
  const model = await loadModel(FILE, { threads: 1 });
  const session = model.createSession();
  end(session);
  assert.is(await codeOf(session.evaluate([1])), "DISPOSED");
  const conversation = model.createConversation();
  await conversation[Symbol.asyncDispose]();
  model.createSession()[Symbol.dispose]();
  const other = model.createSession();
  end(model);
  assert.is(await codeOf(other.evaluate([1])), "DISPOSED");
  assert.is(await codeOf(model.generate("Once").result()), "DISPOSED");
  await model[Symbol.asyncDispose]();
});

test("a generation is cancelled, and gives its session back", async () => {
  const model = await loadModel(FILE, { threads: 1 });
  const begun = model.generate("Once", LONG);
  for await (const _ of begun) break;
  await begun[Symbol.asyncDispose]();

  const reading = model.generate("Once", LONG);
  const pieces = reading[Symbol.asyncIterator]();
  await pieces.next();
  await reading[Symbol.asyncDispose]();
  assert.is((await reading.result()).finishReason, "cancelled");
  assert.equal(await pieces.next(), { done: true, value: undefined });
  end(model.createSession());

  const unread = model.generate("Once", LONG);
  await unread.cancel();
  const { finishReason, tokens } = await unread.result();
  assert.equal([finishReason, tokens], ["cancelled", []]);

  const whole = model.generate("Once", LONG);
  await whole.text();
  await whole[Symbol.asyncDispose]();
  assert.is((await whole.result()).finishReason, "length");
  model.dispose();
});

test("where the runtime lacks the symbols, those of Babel and esbuild serve", () => {
  const program = `
    const whole = Symbol;
    const lacking = (description) => whole(description);
    for (const key of ["for", "iterator", "asyncIterator", "toStringTag", "hasInstance"]) {
      Object.defineProperty(lacking, key, { value: whole[key] });
    }
    Object.defineProperty(globalThis, "Symbol", { value: lacking });
    if (Symbol.dispose ?? Symbol.asyncDispose) throw new Error("they are there");
    const { loadModel } = await import(${JSON.stringify(resolve("build/src/index.js"))});
    const file = Uint8Array.from(${JSON.stringify([...FILE])});
    const model = await loadModel(file, { threads: 1 });
    const session = model.createSession();
    session[Symbol.for("Symbol.dispose")]();
    await model.generate("Once")[Symbol.for("Symbol.asyncDispose")]();
    await model[Symbol.for("Symbol.asyncDispose")]();
    console.log(await session.evaluate([1]).catch(({ code }) => code));
  `;
  const args = ["--input-type=module", "-"];
  assert.is(
    execFileSync(process.execPath, args, { input: program, encoding: "utf8" }),
    "DISPOSED\n",
  );
});

test.run();
