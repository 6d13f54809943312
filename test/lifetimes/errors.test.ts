/** Errors of the package on the other side of postMessage, of JSON and of another copy of it. */
import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describeValue, kindOf } from "../../src/describe.js";
import { invalidArgument, PlmError, quote, reasonOf } from "../../src/errors.js";

const EXPECTED = /^bytes in memory: .*: not a GGUF file/;

/** What the thread sends. */
async function received(): Promise<Record<string, unknown>> {
  const worker = new Worker(resolve("build/test/lifetimes/support/error-sender.js"));
  const message = await new Promise<Record<string, unknown>>((done, fail) => {
    worker.once("message", done).once("error", fail);
  });
  await worker.terminate();
  return message;
}

test("code survives a worker's postMessage, however it is sent", async () => {
  const { itself, caused, plain, json, parts, other } = await received();
  assert.is((itself as Partial<PlmError>).code, undefined, "cloning alone keeps it");
  for (const value of [itself, plain, JSON.parse(json as string), parts]) {
    const error = PlmError.from(value);
    assert.instance(error, PlmError);
    assert.is(error!.code, "INVALID_FILE");
    assert.is(error!.name, "PlmError");
    assert.match(error!.message, EXPECTED);
  }
  assert.match(PlmError.from(itself)!.stack!, "error-sender.js");
  const missing = PlmError.from(caused)!;
  assert.is(missing.code, "UNREADABLE_FILE");
  assert.match((missing.cause as Error).message, "ENOENT");
  assert.is(PlmError.from(other), undefined);
});

test("an error of the package is itself; what is none is undefined", () => {
  const error = new PlmError("INVALID_TOKEN", "token: expected one");
  assert.is(PlmError.from(error), error);
  const copy = Object.assign(new Error("of another copy"), { name: "PlmError", code: "DISPOSED" });
  assert.is(PlmError.from(copy)!.code, "DISPOSED");
  assert.is(PlmError.from(copy)!.stack, copy.stack);
  for (const value of [
    ...[undefined, null, 5, "PlmError", {}, [], () => {}, new Error("PlmError [DISPOSED]: x")],
    ...[{ name: "PlmError" }, { name: "PlmError", code: 5, message: "x" }],
    ...[
      { code: "ENOENT", message: "no such file" },
      { name: "PlmError", code: "X" },
    ],
  ]) {
    assert.is(PlmError.from(value), undefined);
  }
});

test("the stack begins with the code, as Node's own errors do", () => {
  for (const message of ["one line", "two\nlines", "", "Error: nested"]) {
    const { stack, code } = new PlmError("CONTEXT_FULL", message);
    const header =
      message === "" ? "PlmError [CONTEXT_FULL]" : `PlmError [CONTEXT_FULL]: ${message}`;
    assert.ok(stack!.startsWith(`${header}\n    at `), stack);
    assert.is(PlmError.from(structuredClone(new PlmError(code, message)))!.message, message);
  }
});

test("where stacks are frozen or missing, there is still an error", () => {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const error = new PlmError("DISPOSED", "model: gone");
    assert.equal([error.code, error.message], ["DISPOSED", "model: gone"]);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
});

test("reasons of whatever is thrown", () => {
  assert.is(reasonOf(new RangeError("too far")), "too far");
  assert.is(reasonOf({ message: "of another realm" }), "of another realm");
  assert.equal(
    [reasonOf("text"), reasonOf(undefined), reasonOf(null)],
    ["text", "undefined", "null"],
  );
  assert.is(quote("a\n"), '"a\\n"');
});

test("a value in a message: short, escaped, and of objects the kind alone", () => {
  const cases: [value: unknown, text: string][] = [
    ["a\u001b", '"a\\u001b"'],
    ["x".repeat(99), `"${"x".repeat(80)}..."`],
    [Number.NaN, "NaN"],
    [2n ** 60n, "1152921504606846976"],
    [undefined, "nothing"],
    [[1, "two", [3], { four: 4 }, 5], '[1, "two", an array, an object of class Object, ...]'],
    [Float32Array.of(0.5, 2), "[0.5, 2]"],
    [() => "secret", "a function"],
    [Symbol("secret"), "a symbol"],
    [new Map([["key", "secret"]]), "an object of class Map"],
  ];
  for (const [value, text] of cases) assert.is(describeValue(value), text);
  for (const secret of ["secret", 17, ["secret"], Uint8Array.of(17), { secret: 17 }]) {
    assert.not.match(kindOf(secret), /secret|17/);
  }
});

test("the error of an argument begins with its name, and with what part of it", () => {
  const cause = new Error("why");
  const error = invalidArgument("messages", "a string", "null", { at: "[2].role", cause });
  assert.is(error.message, "messages[2].role: expected a string, got null");
  assert.equal([error.code, error.argument], ["INVALID_ARGUMENT", "messages"]);
  assert.is(error.cause, cause);
});

test("the argument at fault survives JSON", () => {
  const error = new PlmError("INVALID_ARGUMENT", "topK: expected 1", { argument: "topK" });
  assert.is(PlmError.from(JSON.parse(JSON.stringify(error)))!.argument, "topK");
  assert.not.ok("argument" in new PlmError("DISPOSED", "x").toJSON());
});

test.run();
