/** Many texts at once, in a cache that has room for few: each is what it is alone. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Generation, loadModel, type Model } from "../../src/index.js";
import { assertRejects, assertThrows, rejection } from "../model/support/engine.js";
import { SMALL_DIMS, tinyModel, tinyTokens } from "../model/support/tiny.js";
import { collectUntil } from "../support/collect.js";

const CONTEXT = 512;
const DIMS = { ...SMALL_DIMS, contextLength: CONTEXT };
const FILE = tinyModel({ dims: DIMS, type: "Q8_0" });
const TEMPLATE = "{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}";
const CHAT_FILE = tinyModel({ dims: DIMS, type: "Q8_0", chatTemplate: TEMPLATE });
// One form of attention: reused rows are then what the text's own would be, bit for bit.
const LOADING = { threads: 1, attention: "absorbed", variant: "simd" } as const;
const REASON = new Error("enough");

/** A seeded text of ten tokens. */
const TEN = { maxTokens: 10, ignoreEos: true, temperature: 1, seed: 1 };

/** A prompt, and how it goes on. */
interface Asked {
  readonly prompt: readonly number[];
  readonly options: typeof TEN;
}

const generate = (model: Model, { prompt, options }: Asked): Generation =>
  model.generate(prompt, options);

/** Seeded prompts of a length, and one shorter and one longer. */
function ask(count: number, length: number): Asked[] {
  return Array.from({ length: count }, (_, i) => {
    const prompt = tinyTokens(length - 1 + (i % 3), 100 + i);
    return { prompt, options: { ...TEN, temperature: i % 2, seed: i } };
  });
}

/** The texts of prompts, one after another, without reuse. */
async function textsAlone(all: readonly Asked[]): Promise<string[]> {
  const model = await loadModel(FILE, { ...LOADING, prefixCache: false });
  const texts: string[] = [];
  for (const each of all) texts.push(await generate(model, each).text());
  model.dispose();
  return texts;
}

/** Runs a test with a model, and checks that it leaves no pages in use. */
async function withModel(use: (model: Model) => Promise<void>, options = {}): Promise<void> {
  const model = await loadModel(FILE, { ...LOADING, ...options });
  await use(model);
  assert.is(model.pagesInUse, 0);
  model.dispose();
}

/** Lets the event loop run some turns. */
async function passTurns(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}

test("a thousand texts at once", async () => {
  const all = ask(1000, 20);
  const alone = await textsAlone(all);
  for (const prefixCache of [true, false]) {
    await withModel(
      async (model) => {
        const texts = await Promise.all(all.map((each) => generate(model, each).text()));
        assert.equal(texts, alone);
      },
      { prefixCache },
    );
  }
});

test("texts that take most of the cache each, whatever their readers take", async () => {
  const all = ask(6, 200).map(({ prompt, options }) => ({
    ...{ prompt, options: { ...options, maxTokens: 150 } },
  }));
  const alone = await textsAlone(all);
  for (const readerTurns of [0, 1, 10]) {
    await withModel(async (model) => {
      const reading = all.map(async (each) => {
        let text = "";
        for await (const piece of generate(model, each)) {
          text += piece;
          await passTurns(readerTurns);
        }
        return text;
      });
      assert.equal(await Promise.all(reading), alone);
      const needed = all.length * (200 + 150);
      const rows = model.sparsity.activations / DIMS.intermediateSize / DIMS.numHiddenLayers;
      assert.ok(rows < 10 * needed, `${rows} rows evaluated, ${needed} needed`);
    });
  }
});

test("twenty texts with one long prompt evaluate it once", async () => {
  const prompt = tinyTokens(300);
  const all = Array.from({ length: 20 }, (_, seed) => ({ prompt, options: { ...TEN, seed } }));
  const alone = await textsAlone(all);
  await withModel(
    async (model) => {
      const results = await Promise.all(all.map((each) => generate(model, each).result()));
      const texts = results.map(({ text }) => text);
      assert.equal(texts, alone);
      const cached = results.map(({ cachedTokens }) => cachedTokens);
      assert.is(cached[0], 0);
      for (const tokens of cached.slice(1)) assert.ok(tokens >= 256, `${tokens} tokens reused`);
    },
    { cacheTokens: 4 * CONTEXT },
  );
});

test("without a prefix cache nothing is reused", async () => {
  await withModel(
    async (model) => {
      for (let i = 0; i < 2; i++) {
        const { cachedTokens } = await model.generate(tinyTokens(300), TEN).result();
        assert.is(cachedTokens, 0);
      }
    },
    { prefixCache: false },
  );
});

test("an abort at any turn of the event loop ends one text and changes no other", async () => {
  const all = ask(4, 90);
  const [victim, ...others] = all;
  const [, ...alone] = await textsAlone(all);
  let hasEnded = false;
  for (let turns = -1; !hasEnded; turns++) {
    await withModel(async (model) => {
      const controller = new AbortController();
      if (turns < 0) controller.abort(REASON);
      const { signal } = controller;
      const options = { ...victim.options, signal };
      const ended = model.generate(victim.prompt, options).result();
      const texts = Promise.all(others.map((each) => generate(model, each).text()));
      const outcome = ended.then(
        () => "done",
        (error) => error,
      );
      await passTurns(turns);
      controller.abort(REASON);
      hasEnded = (await outcome) === "done";
      if (!hasEnded) assert.is(await outcome, REASON);
      assert.equal(await texts, alone);
    });
    assert.ok(turns < 200, "it does not end");
  }
});

test("texts whose readers have gone keep none from ending, and may go on", async () => {
  const gone = ask(3, 200);
  const others = ask(10, 120);
  const alone = await textsAlone([...gone, ...others]);
  await withModel(async (model) => {
    const begun = gone.map((each) => generate(model, each)[Symbol.asyncIterator]());
    const texts: string[] = [];
    for (const pieces of begun) texts.push((await pieces.next()).value ?? "");
    const rest = await Promise.all(others.map((each) => generate(model, each).text()));
    assert.equal(rest, alone.slice(gone.length));
    for (const [i, pieces] of begun.entries()) {
      for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
        texts[i] += next.value;
      }
    }
    assert.equal(texts, alone.slice(0, gone.length));
  });
});

test("texts that nothing refers to any more give their pages back", async () => {
  await withModel(async (model) => {
    await (async () => {
      for (const each of ask(3, 60)) await generate(model, each)[Symbol.asyncIterator]().next();
    })();
    assert.ok(model.pagesInUse > 0);
    assert.ok(await collectUntil(() => model.pagesInUse === 0), `${model.pagesInUse} pages`);
  });
});

test("a reader that throws, and one that leaves, change no other text", async () => {
  const all = ask(6, 60);
  const alone = await textsAlone(all);
  await withModel(async (model) => {
    const reading = all.map(async (each, i) => {
      let text = "";
      for await (const piece of generate(model, each)) {
        text += piece;
        if (i === 0) throw REASON;
        if (i === 1) break;
      }
      return text;
    });
    assert.is(await rejection(reading[0]), REASON);
    assert.ok(alone[1].startsWith(await reading[1]));
    assert.equal(await Promise.all(reading.slice(2)), alone.slice(2));
  });
});

test("prompts that are too long, empty or no tokens change no other text", async () => {
  const all = ask(4, 60);
  const alone = await textsAlone(all);
  await withModel(async (model) => {
    const texts = Promise.all(all.map((each) => generate(model, each).text()));
    await Promise.all([
      assertRejects(model.generate(tinyTokens(CONTEXT + 1), TEN).text(), "CONTEXT_FULL"),
      assertRejects(model.generate([5, DIMS.vocabSize], TEN).text(), "INVALID_TOKEN"),
      assertRejects(model.generate([-1], TEN).text(), "INVALID_TOKEN"),
    ]);
    assertThrows(() => model.generate([], TEN), "EMPTY_PROMPT");
    assertThrows(() => model.generate([5], { ...TEN, maxTokens: -1 }), "INVALID_ARGUMENT");
    assert.equal(await texts, alone);
    // As long as the context: there is room for no second token.
    const whole = await model.generate(tinyTokens(CONTEXT), TEN).result();
    assert.is(whole.tokens.length, 1);
  });
});

test("a cache smaller than a context shortens it", async () => {
  const options = { contextLength: 200, cacheTokens: 199 };
  await assertRejects(loadModel(FILE, { ...LOADING, ...options }), "INVALID_ARGUMENT", "199");
  await withModel(
    async (model) => {
      assert.is(model.plan.options.contextLength, 100);
      await assertRejects(model.generate(tinyTokens(101), TEN).text(), "CONTEXT_FULL", "100");
      const { finishReason } = await model.generate(tinyTokens(95), TEN).result();
      assert.is(finishReason, "length");
    },
    { cacheTokens: 100 },
  );
});

test("a model that is disposed of ends all that wait", async () => {
  for (const turns of [0, 1, 5]) {
    const model = await loadModel(FILE, LOADING);
    const ended = ask(100, 60).map((each) => rejection(generate(model, each).text()));
    await passTurns(turns);
    model.dispose();
    for (const error of await Promise.all(ended)) {
      assert.is((error as { code?: string }).code, "DISPOSED");
    }
    assert.is(model.pagesInUse, 0);
  }
});

test("conversations with one system message share its rows", async () => {
  const system = "Be kind. ".repeat(15);
  const answers: string[] = [];
  for (const prefixCache of [false, true]) {
    const options = { ...LOADING, prefixCache, cacheTokens: 4 * CONTEXT };
    const model = await loadModel(CHAT_FILE, options);
    const conversations = [1, 2].map(() => model.createConversation({ system }));
    const [first, second] = await Promise.all(
      conversations.map((conversation) => conversation.ask("Hi", TEN).result()),
    );
    assert.is(first.cachedTokens, 0);
    assert.is(second.cachedTokens, prefixCache ? 128 : 0);
    answers.push(first.text, second.text);
    // What a conversation has itself is not counted again.
    const next = await conversations[1].ask("And?", TEN).result();
    assert.is(next.cachedTokens, 0);
    assert.ok(next.promptTokens < 40);
    for (const conversation of conversations) conversation.dispose();
    assert.is(model.pagesInUse, 0);
    model.dispose();
  }
  assert.is(new Set(answers).size, 1);
});

test("a chat that is repeated evaluates its last token only", async () => {
  const model = await loadModel(CHAT_FILE, LOADING);
  const messages = [{ role: "user", content: "Hi" }];
  const first = await model.chat(messages, TEN).result();
  const second = await model.chat(messages, TEN).result();
  assert.equal([first.cachedTokens, second.cachedTokens], [0, first.promptTokens - 1]);
  assert.is(second.text, first.text);
  const { prefillMs, prefillTokensPerSecond } = second.timings;
  assert.is(prefillTokensPerSecond, 1000 / prefillMs);
  model.dispose();
});

test.run();
