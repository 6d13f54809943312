/** Generations in a worker: how they stop, and where their sessions are then. */
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Generation, generate, type Session, type TokenDecoder } from "../../src/index.js";
import { tinyTokens } from "../model/support/tiny.js";
import { codeOf, ENDLESS, inBoth, loadRemote, watchRejections } from "./support/both.js";

const unhandled = watchRejections();
test.after(() => assert.equal(unhandled, []));

const PROMPT = tinyTokens(9);

/** Reads so many pieces. */
async function read(pieces: AsyncIterator<string, undefined>, count: number): Promise<string[]> {
  const found: string[] = [];
  for (let i = 0; i < count; i++) found.push((await pieces.next()).value ?? "the end");
  return found;
}

/** A session's state, and that it goes on from there. */
async function stateOf(session: Session): Promise<unknown[]> {
  const before = [session.length, [...session.tokens]];
  return [...before, await session.evaluate([3, 4])];
}

/** Without the times. */
async function resultOf(generation: Generation): Promise<unknown> {
  const { timings: _, ...result } = await generation.result();
  return result;
}

test("a reader that leaves finds the session where it stopped reading", async () => {
  for (const count of [1, 3, 12]) {
    await inBoth(async (model) => {
      const session = model.createSession();
      const generation = generate(session, model.tokenizer, PROMPT, ENDLESS);
      const pieces = generation[Symbol.asyncIterator]();
      const found = await read(pieces, count);
      const lengths = [session.length];
      await sleep(20);
      lengths.push(session.length);
      await generation.cancel();
      return [found, lengths, await resultOf(generation), await stateOf(session)];
    });
  }
});

test("an abort rejects with its reason, and the session is where the reader was", async () => {
  for (const count of [0, 1, 5]) {
    await inBoth(async (model) => {
      const controller = new AbortController();
      const reason = { because: "enough" };
      const session = model.createSession();
      const options = { ...ENDLESS, signal: controller.signal };
      const generation = generate(session, model.tokenizer, PROMPT, options);
      const pieces = generation[Symbol.asyncIterator]();
      const found = await read(pieces, count);
      await sleep(20);
      controller.abort(reason);
      for (const rejected of [pieces.next(), generation.result()]) {
        assert.is(await codeOf(rejected), reason);
      }
      return [found, await stateOf(session)];
    });
  }
});

test("an abort while the reader waits ends the generation soon", async () => {
  const model = await loadRemote();
  const session = model.createSession();
  const controller = new AbortController();
  const options = { ...ENDLESS, signal: controller.signal };
  const reading = generate(session, model.tokenizer, PROMPT, options).text();
  setTimeout(() => controller.abort("soon"), 5);
  assert.is(await codeOf(reading), "soon");
  const { length } = session;
  assert.ok(length < session.contextLength, `${length}`);
  assert.is((await session.evaluate([1])).length, session.vocabSize);
  assert.is(session.length, length + 1);
  model.dispose();
});

test("nothing happens before the first read, and little before the next", async () => {
  const model = await loadRemote();
  const session = model.createSession();
  const generation = generate(session, model.tokenizer, PROMPT, ENDLESS);
  const before = model.sparsity.activations;
  await model.readWeights();
  assert.is(model.sparsity.activations, before);
  const pieces = generation[Symbol.asyncIterator]();
  await pieces.next();
  await sleep(200);
  const other = model.createSession();
  await other.evaluate([1]);
  const { numHiddenLayers, intermediateSize } = model.config;
  const rows = model.sparsity.activations / (numHiddenLayers * intermediateSize);
  // A piece may have several tokens: bytes of one character.
  assert.ok(rows > PROMPT.length + 3 && rows < PROMPT.length + 30, `${rows} rows`);
  assert.is(await codeOf(session.evaluate([1])), "SESSION_BUSY");
  for (const call of [
    () => session.fork(),
    () => session.truncate(0),
    () => session.saveStream(),
  ]) {
    assert.is(await codeOf(call), "SESSION_BUSY");
  }
  await generation.cancel();
  await session.evaluate([1]);
  model.dispose();
});

test("a full context, a bad token and an empty prompt are as without a worker", async () => {
  await inBoth(async (model) => {
    const session = model.createSession();
    const generation = generate(session, model.tokenizer, PROMPT, ENDLESS);
    const results = [await resultOf(generation), session.length];
    const calls: (() => unknown)[] = [
      () => generate(session, model.tokenizer, PROMPT, ENDLESS).text(),
      () => generate(model.createSession(), model.tokenizer, [1, 999], ENDLESS).text(),
      () => generate(model.createSession(), model.tokenizer, [() => 1] as never).text(),
      () => model.generate([]).text(),
      () => model.generate("Once", { topK: -1, topP: 2 }).text(),
      () => session.evaluate([1, 2, 3]),
      () => session.truncate(1000),
    ];
    for (const call of calls) {
      const error = await Promise.resolve()
        .then(call)
        .catch((thrown: unknown) => thrown);
      const { code, message, argument } = error as Record<string, unknown>;
      results.push([code, message, argument] as never);
    }
    return results;
  });
});

test("a disposed session ends its generation, a disposed model all of them", async () => {
  await inBoth(async (model) => {
    const session = model.createSession();
    const pieces = generate(session, model.tokenizer, PROMPT, ENDLESS)[Symbol.asyncIterator]();
    await pieces.next();
    await sleep(20);
    session.dispose();
    const codes = [await codeOf(pieces.next()), await codeOf(session.evaluate([1]))];
    const others = [1, 2].map((seed) => model.generate(PROMPT, { ...ENDLESS, seed }));
    const readers = others.map((each) => each[Symbol.asyncIterator]());
    await Promise.all(readers.map((each) => each.next()));
    const waiting = codeOf(model.createSession().evaluate(PROMPT));
    model.dispose();
    for (const reader of readers) codes.push(await codeOf(reader.next()));
    codes.push(await waiting);
    assert.equal(codes, Array(5).fill("DISPOSED"));
  });
});

test("a decoder of the caller's own decodes", async () => {
  await inBoth(async (model) => {
    const { tokenizer } = model;
    const loud: TokenDecoder = {
      eosTokenIds: tokenizer.eosTokenIds,
      createDecoder: (options) => {
        const decoder = tokenizer.createDecoder(options);
        return { push: (token) => `<${decoder.push(token)}>`, end: () => decoder.end() };
      },
    };
    const text = await generate(model.createSession(), loud, PROMPT, {
      ...ENDLESS,
      maxTokens: 5,
    }).text();
    assert.match(text, /^<.*><.*>/s);
    return text;
  });
});

test("conversations: answers, forks, aborts, saves", async () => {
  await inBoth(
    async (model) => {
      const found: unknown[] = [];
      const conversation = model.createConversation({ system: "s" });
      const short = { ...ENDLESS, maxTokens: 4 };
      found.push(await resultOf(conversation.ask("a", short)));
      const fork = conversation.fork();
      for await (const piece of fork.ask("b", ENDLESS)) {
        found.push(piece);
        break;
      }
      found.push(
        await resultOf(conversation.ask("c", short)),
        conversation.messages,
        fork.messages,
      );
      const controller = new AbortController();
      const asked = fork.ask("d", { ...ENDLESS, signal: controller.signal });
      const pieces = asked[Symbol.asyncIterator]();
      found.push(await pieces.next());
      controller.abort("enough");
      found.push(await codeOf(pieces.next()), fork.messages);
      const restored = await model.restoreConversation(await conversation.save());
      found.push(restored.messages, await resultOf(restored.ask("e", short)));
      conversation.reset();
      found.push(await resultOf(conversation.ask("f", short)), conversation.messages);
      for (const each of [conversation, fork, restored]) each.dispose();
      return found;
    },
    { cacheTokens: 1024 },
  );
});

test("many generations at once, each as it is alone", async () => {
  const seeds = Array.from({ length: 6 }, (_, i) => i);
  await inBoth(async (model) => {
    const options = { ...ENDLESS, maxTokens: 12 };
    const all = seeds.map((seed) =>
      model.generate(tinyTokens(5 + seed, seed), { ...options, seed }),
    );
    return Promise.all(all.map((each) => each.text()));
  });
});

test.run();
