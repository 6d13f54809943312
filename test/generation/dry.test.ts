/** DRY against its definition, written out for every token and every earlier place. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { createLogitsProcessors } from "../../src/generation/logits-processors.js";
import type { GenerateOptions } from "../../src/generation/options.js";
import { resolveOptions } from "../../src/generation/options.js";
import { seededRandom } from "../support/random.js";

const VOCAB = 6;
/** Token 4 has a line break in it. */
const textOf = (token: number): string => ["a", "b", "c", "d", " x\ny", "e"][token];

/** What is taken from each logit. */
function taken(options: GenerateOptions, prompt: number[], tokens: number[]): number[] {
  const resolved = resolveOptions(options, VOCAB);
  const logits = new Float32Array(VOCAB).fill(100);
  for (const process of createLogitsProcessors(resolved, textOf)) {
    process(logits, { promptTokens: prompt, tokens });
  }
  return Array.from(logits, (logit) => 100 - logit);
}

/** The longest repetition that each token would go on with. */
function repetitions(context: number[], window: number): number[] {
  const recent = context.slice(Math.max(0, context.length - window));
  const longest = new Array<number>(VOCAB).fill(0);
  for (let at = 0; at < recent.length - 1; at++) {
    let length = 0;
    for (let k = 0; at - k >= 0; k++) {
      const token = recent[recent.length - 1 - k];
      if (recent[at - k] !== token || textOf(token).includes("\n")) break;
      length++;
    }
    const next = recent[at + 1];
    longest[next] = Math.max(longest[next], length);
  }
  return longest;
}

test("a repetition of two tokens costs the multiplier, each further one the base", () => {
  // a b c a b: c would be the third of a repetition.
  assert.equal(taken({ dryMultiplier: 2 }, [0, 1, 2], [0, 1]), [0, 0, 2, 0, 0, 0]);
  const longer = taken({ dryMultiplier: 2, dryBase: 3 }, [3, 0, 1, 2], [3, 0, 1]);
  assert.equal(longer, [0, 0, 6, 0, 0, 0]);
  assert.equal(
    taken({ dryMultiplier: 2, dryAllowedLength: 3 }, [0, 1, 2], [0, 1]),
    [0, 0, 0, 0, 0, 0],
  );
  assert.equal(taken({ dryMultiplier: 2, dryWindow: 4 }, [0, 1, 2], [0, 1]), [0, 0, 0, 0, 0, 0]);
  assert.equal(taken({}, [0, 1, 2], [0, 1]), [0, 0, 0, 0, 0, 0]);
});

test("no repetition reaches over a breaker", () => {
  const prompt = [0, 4, 1, 2, 3];
  // "\n" b c, again "\n" b c: d is the third of "b c d" only.
  const options = { dryMultiplier: 1, dryBase: 2 };
  assert.equal(taken(options, prompt, [0, 4, 1, 2]), [0, 0, 0, 1, 0, 0]);
  const without = { ...options, drySequenceBreakers: ["#"] };
  assert.equal(taken(without, prompt, [0, 4, 1, 2]), [0, 0, 0, 4, 0, 0]);
  assert.equal(taken(options, [0, 1, 4, 2], [0, 1, 4]), [0, 0, 0, 0, 0, 0]);
});

test("any text, from any window, equals the definition", () => {
  const random = seededRandom(1);
  for (let round = 0; round < 500; round++) {
    const size = 2 + Math.floor(random() * (VOCAB - 1));
    const context = Array.from({ length: 1 + Math.floor(random() * 60) }, () =>
      Math.floor(random() * size),
    );
    const split = Math.floor(random() * context.length);
    const dryWindow = random() < 0.5 ? Infinity : Math.floor(random() * 40);
    const dryAllowedLength = 1 + Math.floor(random() * 3);
    const options = { dryMultiplier: 0.5, dryBase: 1.5, dryAllowedLength, dryWindow };
    const found = taken(options, context.slice(0, split), context.slice(split));
    const expected = repetitions(context, dryWindow).map((length) =>
      length < dryAllowedLength ? 0 : 0.5 * 1.5 ** (length - dryAllowedLength),
    );
    for (let id = 0; id < VOCAB; id++) {
      const error = Math.abs(found[id] - Math.min(expected[id], 1e30));
      assert.ok(error <= 1e-4 * Math.max(1, expected[id]), `round ${round}, token ${id}`);
    }
  }
});

test("very long repetitions keep logits finite", () => {
  const processors = createLogitsProcessors(resolveOptions({ dryMultiplier: 1 }, VOCAB), textOf);
  const logits = new Float32Array(VOCAB).fill(1);
  const tokens = new Array<number>(5_000).fill(0);
  for (const process of processors) process(logits, { promptTokens: [], tokens });
  assert.ok(logits[0] < -3e38 && Number.isFinite(logits[0]));
  logits[0] = -Infinity;
  for (const process of processors) process(logits, { promptTokens: [], tokens });
  assert.is(logits[0], -Infinity);
});

test.run();
