import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Batch, BatchStream, createBatch } from "../../../src/training/data/batches.js";
import type { TokenizedText } from "../../../src/training/data/corpus.js";
import { NO_TARGET } from "../../../src/training/engine/kernels.js";
import { assertThrows } from "../../model/support/engine.js";
import { seededRandom } from "../../support/random.js";
import { EOS, numberedText } from "../support/texts.js";

const CONTEXT = 16;
const OPTIONS = { seed: 5, contextLength: CONTEXT };

/** Document lengths from 1 to `longest`. */
function randomLengths(count: number, longest: number, seed: number): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => 1 + Math.floor(random() * longest));
}

const short = numberedText("short", randomLengths(60, 10, 1), 1000);
const long = numberedText("long", [300, 5, 90], 5000);

function streamOf(texts: readonly TokenizedText[], seed = 5): BatchStream {
  const stream = new BatchStream(texts, { seed, contextLength: CONTEXT });
  stream.useMix(Object.fromEntries(texts.map(({ name }) => [name, 1])));
  return stream;
}

/** Copies of the next micro-batches of 64 tokens. */
function take(stream: BatchStream, count: number): Batch[] {
  return Array.from({ length: count }, () => {
    const batch = createBatch(64);
    stream.fill(batch);
    return batch;
  });
}

const idsOf = (batches: readonly Batch[]): number[] => batches.flatMap(({ ids }) => [...ids]);

test("each token's target follows it in its document; nothing is padded", () => {
  const next = new Map<number, number>();
  for (const { tokens } of [short, long]) {
    tokens.forEach((id, i) => {
      if (id !== EOS) next.set(id, tokens[i + 1]);
    });
  }
  for (const { ids, targets } of take(streamOf([short, long]), 50)) {
    ids.forEach((id, i) => {
      assert.ok(next.has(id), `${id} is an input`);
      assert.is(targets[i], next.get(id));
    });
    assert.not(targets.includes(NO_TARGET));
  }
});

test("positions count from each piece's start, and pieces are whole runs", () => {
  for (const { ids, targets, positions, starts } of take(streamOf([short, long]), 50)) {
    for (let i = 0; i < ids.length; i++) {
      const inSequence = i % CONTEXT;
      assert.is(starts[i] + positions[i], inSequence);
      if (inSequence === 0) assert.is(positions[i], 0);
      if (positions[i] === 0) continue;
      assert.is(positions[i], positions[i - 1] + 1);
      assert.is(ids[i], targets[i - 1], "a piece goes on with what was the target");
    }
  }
});

test("a document that does not fit goes on in the next sequence as one of its own", () => {
  const text = numberedText("one", [20]);
  const [{ ids, targets, positions }] = take(streamOf([text]), 1);
  const expected = Array.from({ length: 64 }, (_, i) => (i % 20) + 1);
  assert.equal([...ids], expected);
  assert.is(targets[19], EOS);
  assert.equal([...positions.subarray(14, 24)], [14, 15, 0, 1, 2, 3, 0, 1, 2, 3]);
});

test("an epoch gives every token with a target once, in another order than the last", () => {
  const inputs = [...long.tokens, ...[]].filter((id) => id !== EOS).length;
  const ids = idsOf(take(streamOf([long]), Math.ceil((3 * inputs) / 64)));
  const epochs = [0, 1, 2].map((epoch) => ids.slice(epoch * inputs, (epoch + 1) * inputs));
  const all = [...long.tokens].filter((id) => id !== EOS).sort();
  for (const epoch of epochs) assert.equal(epoch.toSorted(), all);
  assert.is(new Set(epochs.map(String)).size, 3);
});

test("the seed decides the order", () => {
  const first = (seed: number) => String(idsOf(take(streamOf([short, long], seed), 4)));
  assert.is(first(1), first(1));
  assert.is(new Set([0, 1, 2, 2 ** 40].map(first)).size, 4);
});

test("texts have the share of tokens that their weight says, after any count", () => {
  const stream = new BatchStream([short, long], OPTIONS);
  stream.useMix({ short: 1, long: 3 });
  let served = 0;
  let ofLong = 0;
  for (const { ids } of take(stream, 40)) {
    for (const id of ids) if (id > 5000) ofLong++;
    served += ids.length;
    assert.ok(Math.abs(ofLong - 0.75 * served) <= CONTEXT, `${ofLong} of ${served}`);
  }
});

test("a new mix counts from its first token; the same mix again changes nothing", () => {
  const stream = new BatchStream([short, long], OPTIONS);
  stream.useMix({ short: 1 });
  assert.ok(idsOf(take(stream, 20)).every((id) => id < 5000));
  stream.useMix({ short: 1, long: 1 });
  const state = stream.state();
  stream.useMix({ long: 1, short: 1 });
  assert.equal(stream.state(), state);
  const ids = idsOf(take(stream, 10));
  const ofLong = ids.filter((id) => id > 5000).length;
  assert.ok(Math.abs(ofLong - 320) <= CONTEXT, `${ofLong} of 640`);
  stream.useMix({ long: 2, short: 0 });
  assert.ok(idsOf(take(stream, 5)).every((id) => id > 5000));
});

test("a stream restored from its state, as JSON, goes on exactly", () => {
  for (const before of [0, 1, 7, 33]) {
    const stream = streamOf([short, long]);
    take(stream, before);
    if (before > 1) stream.useMix({ short: 5, long: 2 });
    take(stream, before);
    const state = JSON.parse(JSON.stringify(stream.state()));
    const restored = new BatchStream([short, long], OPTIONS);
    restored.restore(state);
    assert.equal(restored.state(), stream.state());
    assert.equal(take(restored, 30), take(stream, 30));
  }
  const fresh = new BatchStream([short], OPTIONS);
  const used = streamOf([short]);
  used.restore(fresh.state());
  assertThrows(() => used.fill(createBatch(64)), "INVALID_ARGUMENT", "no mix");
});

test("a text that changed under the same name is detected", () => {
  const state = streamOf([short, long]).state();
  const other = { ...long, fingerprint: long.fingerprint ^ 1 };
  const restore = (...texts: TokenizedText[]) => new BatchStream(texts, OPTIONS).restore(state);
  assertThrows(() => restore(short, other), "INVALID_CONFIG", "text long", "another one");
  assertThrows(() => restore(short), "INVALID_CONFIG", "text long", "got none");
});

test("a text of later phases may come, or go, as if it had always been so", () => {
  const third = numberedText("third", [4, 40], 9000);
  const [later, always] = [
    [short, long],
    [short, long, third],
  ].map((texts) => {
    const stream = new BatchStream(texts, OPTIONS);
    stream.useMix({ short: 2, long: 1 });
    take(stream, 9);
    const goesOn = new BatchStream([short, long, third], OPTIONS);
    goesOn.restore(JSON.parse(JSON.stringify(stream.state())));
    const before = take(goesOn, 9);
    goesOn.useMix({ long: 1, third: 3 });
    return [...before, ...take(goesOn, 9)];
  });
  assert.ok(idsOf(later).some((id) => id > 9000));
  assert.equal(later, always);
  const stream = streamOf([short, long, third]);
  stream.useMix({ short: 2, long: 1 });
  const without = new BatchStream([short, long], OPTIONS);
  without.restore(stream.state());
  assert.equal(take(without, 9), take(stream, 9));
});

test("mixes and texts that would give nothing are refused", () => {
  const stream = new BatchStream([short], OPTIONS);
  assertThrows(() => stream.fill(createBatch(64)), "INVALID_ARGUMENT", "no mix");
  assertThrows(() => stream.useMix({ other: 1 }), "INVALID_ARGUMENT", "got other");
  assertThrows(() => stream.useMix({ short: -1 }), "INVALID_ARGUMENT", "above 0");
  const empty = numberedText("empty", [0, 0]);
  assertThrows(() => new BatchStream([empty], OPTIONS), "INVALID_ARGUMENT", "text empty");
});

test.run();
