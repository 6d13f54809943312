/** Sessions of the Prompt API: answers, messages, room, order, aborts. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel } from "../../src/index.js";
import { createLanguageModel, type LanguageModel } from "../../src/prompt-api/index.js";
import { assertName } from "./support/exceptions.js";

const model = await loadModel("models/plm-test.gguf", { precision: "exact" });
const Plm = createLanguageModel({ model });

/** Sessions whose answers are the most probable ones; the model's own end is rarely near. */
const create = (options: object = {}): Promise<LanguageModel> =>
  Plm.create({ samplingMode: "most-predictable", ...options });

const user = (content: string): { role: "user"; content: string } => ({ role: "user", content });

/** The model's own answer to messages. */
const answerTo = (...messages: { role: string; content: string }[]): Promise<string> =>
  model.chat(messages, { temperature: 0 }).text();

/** Tokens of messages. */
const count = (...messages: { role: string; content: string }[]): number => {
  const text = messages.map(({ content }) => content).join("\n\n");
  return model.tokenizer.encode(text, { addBos: true }).length;
};

test("answers are the model's own, with all messages before them", async () => {
  const system = { role: "system", content: "Be kind." } as const;
  const session = await create({ initialPrompts: [system] });
  assert.is(session.contextUsage, count(system));
  assert.is(session.contextWindow, 256);
  const answer = await session.prompt("Hi");
  assert.is(answer, await answerTo(system, user("Hi")));
  const told = [system, user("Hi"), { role: "assistant", content: answer }];
  assert.is(session.contextUsage, count(...told));
  assert.equal(
    [session.inputUsage, session.inputQuota],
    [session.contextUsage, session.contextWindow],
  );
  session.destroy();
});

test("a stream has the same text", async () => {
  const session = await create();
  const pieces: string[] = [];
  for await (const piece of session.promptStreaming("Once upon a time")) pieces.push(piece);
  assert.ok(pieces.length > 1);
  assert.is(pieces.join(""), await answerTo(user("Once upon a time")));
  session.destroy();
});

test("messages, parts of messages, and nothing at all", async () => {
  const parts = [
    { type: "text", value: "On" },
    { type: "text", value: "ce" },
  ];
  const session = await create();
  const answer = await session.prompt([{ role: "user", content: parts }, user("upon")]);
  assert.is(answer, await answerTo(user("Once"), user("upon")));
  session.destroy();
  const other = await create();
  await other.append([user("Once"), { role: "assistant", content: "upon" }]);
  await other.append("a");
  assert.is(
    await other.prompt([]),
    await answerTo(user("Once"), { role: "assistant", content: "upon" }, user("a"), user("")),
  );
  other.destroy();
});

test("an answer begins with the prefix, which is not returned", async () => {
  const session = await create();
  const prefix = { role: "assistant", content: "The cat", prefix: true } as const;
  const answer = await session.prompt([user("Tell."), prefix]);
  const { tokenizer } = model;
  const start = tokenizer.encode("Tell.\n\n", { addBos: true });
  const tokens = [...start, ...tokenizer.encode("The cat")];
  assert.is(answer, await model.generate(tokens, { temperature: 0 }).text());
  const whole = { role: "assistant", content: `The cat${answer}` };
  assert.is(session.contextUsage, count(user("Tell."), whole));
  session.destroy();
});

test("what a prompt would use is what it then uses", async () => {
  const session = await create({ initialPrompts: [user("Hi")] });
  const usage = await session.measureContextUsage("How are you?");
  assert.is(await session.measureInputUsage("How are you?"), usage);
  const before = session.contextUsage;
  await session.append("How are you?");
  assert.is(session.contextUsage, before + usage);
  const responseConstraint = { type: "object" };
  const more = await session.measureContextUsage("a", { responseConstraint });
  const omitResponseConstraintInput = true;
  const less = await session.measureContextUsage("a", {
    responseConstraint,
    omitResponseConstraintInput,
  });
  assert.ok(more > less);
  await assertName(session.measureContextUsage("a", { omitResponseConstraintInput }), "TypeError");
  session.destroy();
});

test("the oldest turns are left out when there is no room, never the initial prompts", async () => {
  const words = (word: string): string => Array(70).fill(word).join(" ");
  const system = { role: "system", content: "Be kind." } as const;
  const session = await create({ initialPrompts: [system] });
  const events: string[] = [];
  session.addEventListener("contextoverflow", ({ type }: Event) => events.push(type));
  session.oncontextoverflow = () => events.push("handler");
  session.onquotaoverflow = ({ type }) => events.push(type);
  assert.is(typeof session.oncontextoverflow, "function");
  const turn = (
    word: string,
  ): [{ role: "user"; content: string }, { role: "assistant"; content: string }] => [
    user(words(word)),
    { role: "assistant", content: word },
  ];
  await session.append(turn("one"));
  await session.append(turn("two"));
  assert.equal(events, []);
  await session.append(turn("three"));
  assert.equal(events, ["contextoverflow", "handler", "quotaoverflow"]);
  const left = [turn("one"), turn("two"), turn("three")];
  while (count(system, ...left.flat()) > session.contextWindow) left.shift();
  assert.ok(left.length > 0);
  assert.is(session.contextUsage, count(system, ...left.flat()));
  const error = await assertName<{ requested: number; quota: number }>(
    session.prompt(words("many ").repeat(4)),
    "QuotaExceededError",
  );
  assert.ok(error.requested > error.quota && error.quota === session.contextWindow);
  // Nothing was left out for it.
  assert.is(session.contextUsage, count(system, ...left.flat()));
  session.oncontextoverflow = null;
  assert.is(session.oncontextoverflow, null);
  session.destroy();
});

test("calls wait for each other, and an abort takes out its own", async () => {
  const session = await create();
  const controller = new AbortController();
  const { signal } = controller;
  const calls = [
    session.prompt("One"),
    session.prompt("Two", { signal }),
    session.append("Three", { signal }),
    session.prompt("Four"),
  ];
  controller.abort();
  const [one, two, three, four] = await Promise.allSettled(calls);
  assert.is((two as PromiseRejectedResult).reason, signal.reason);
  assert.is((three as PromiseRejectedResult).reason, signal.reason);
  assert.equal([one.status, four.status], ["fulfilled", "fulfilled"]);
  const other = await create();
  assert.is((one as PromiseFulfilledResult<string>).value, await other.prompt("One"));
  assert.is((four as PromiseFulfilledResult<string>).value, await other.prompt("Four"));
  session.destroy();
  other.destroy();
});

test("an answer that is aborted is as if it had never been asked for", async () => {
  const session = await create();
  const controller = new AbortController();
  const reader = session.promptStreaming("Once", { signal: controller.signal }).getReader();
  await reader.read();
  controller.abort();
  let reason: unknown;
  while (reason === undefined) {
    reason = await reader.read().then(
      () => undefined,
      (error) => error,
    );
  }
  assert.is(reason, controller.signal.reason);
  assert.is(session.contextUsage, 0);
  // A reader that leaves aborts too.
  const left = session.promptStreaming("Once").getReader();
  await left.read();
  await left.cancel();
  assert.is(await session.prompt("Hi"), await answerTo(user("Hi")));
  session.destroy();
});

test("a clone has the same messages, and goes its own way", async () => {
  const session = await create({
    initialPrompts: [user("Hi"), { role: "assistant", content: "Ho" }],
  });
  const clone = await session.clone();
  assert.instance(clone, Plm as never);
  assert.equal([clone.contextUsage, clone.topK], [session.contextUsage, session.topK]);
  const [first, second] = await Promise.all([session.prompt("One"), clone.prompt("Two")]);
  const before = [user("Hi"), { role: "assistant", content: "Ho" }];
  assert.is(first, await answerTo(...before, user("One")));
  assert.is(second, await answerTo(...before, user("Two")));
  session.destroy();
  assert.ok(await clone.prompt("Three"));
  const signal = AbortSignal.abort();
  assert.is(await clone.clone({ signal }).catch((error) => error), signal.reason);
  clone.destroy();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.is(model.pagesInUse, 0);
});

test("wrong prompts", async () => {
  const session = await create({ initialPrompts: [user("Hi")] });
  const image = { role: "user", content: [{ type: "image", value: "" }] } as const;
  const prefix = { role: "assistant", content: "a", prefix: true } as const;
  const wrong: [input: unknown, name: string][] = [
    [5, "TypeError"],
    [[{ role: "tool", content: "" }], "TypeError"],
    [[{ role: "user" }], "TypeError"],
    [[{ role: "user", content: [{ value: "" }] }], "TypeError"],
    [[{ role: "user", content: [{ type: "text", value: 1 }] }], "TypeError"],
    [[{ role: "system", content: "" }], "TypeError"],
    [[image], "NotSupportedError"],
    [[prefix, user("a")], "SyntaxError"],
    [[{ ...prefix, role: "user" }], "SyntaxError"],
  ];
  for (const [input, name] of wrong) {
    await assertName(session.prompt(input as string), name);
    await assertName(
      session
        .promptStreaming(input as string)
        .getReader()
        .read(),
      name,
    );
    await assertName(session.append(input as string), name);
  }
  const constraints: [unknown, string][] = [
    ["text", "TypeError"],
    [[], "TypeError"],
    [/a/i, "NotSupportedError"],
    [/a/m, "NotSupportedError"],
  ];
  for (const [responseConstraint, name] of constraints) {
    const options = { responseConstraint } as { responseConstraint: object };
    await assertName(session.prompt("a", options), name);
  }
  session.destroy();
});

test.run();
