/**
 * What holding a text to a form costs.
 *
 *     node build/bench/constraints.bench.js --model FILE [--rounds 20] [--decode 64]
 *
 * First with the vocabulary alone: how long the first use of a schema takes, the first in this
 * process and others after it, and the masks along random texts. With --decode, also the time of a
 * token with and without a schema, in alternation, after the schema's first use.
 */
import { parseArgs } from "node:util";
import { createConstraint } from "../src/grammar/constraints.js";
import { inspectModel, loadModel, type ResponseFormat, type Tokenizer } from "../src/index.js";
import { seededRandom } from "../test/support/random.js";
import { describeMachine, readMachine } from "./machine.js";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    rounds: { type: "string", default: "20" },
    decode: { type: "string" },
  },
});

/** Schemas of different kinds; `i` makes each a new one. */
const SCHEMAS: Readonly<Record<string, (i: number) => object>> = {
  person: (i) => ({
    type: "object",
    properties: {
      [`name${i}`]: { type: "string" },
      age: { type: "integer", minimum: 0, maximum: 120 },
      email: { type: "string", format: "email" },
      tags: { type: "array", items: { enum: ["red", "green", "blue"] }, maxItems: 5 },
    },
    required: [`name${i}`, "age", "email", "tags"],
  }),
  limits: (i) => ({
    type: "object",
    properties: {
      [`title${i}`]: { type: "string", minLength: 10, maxLength: 300 },
      code: { type: "string", pattern: "^[A-Z]{2}-\\d{4,8}$" },
      price: { type: "number", minimum: 0, maximum: 1000, multipleOf: 0.01 },
    },
    required: [`title${i}`, "code", "price"],
  }),
  tree: (i) => ({
    $defs: {
      node: {
        type: "object",
        properties: {
          [`value${i}`]: { type: "string" },
          children: { type: "array", items: { $ref: "#/$defs/node" } },
        },
        required: [`value${i}`, "children"],
        additionalProperties: false,
      },
    },
    $ref: "#/$defs/node",
  }),
};

function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** First uses and masks of all schemas. */
function timeMasks(tokenizer: Tokenizer, rounds: number): void {
  const random = seededRandom(1);
  const first: number[] = [];
  const masks: number[] = [];
  const logits = new Float32Array(tokenizer.vocabSize);
  for (let i = 0; i < rounds; i++) {
    for (const schemaOf of Object.values(SCHEMAS)) {
      const source = { type: "json_schema", text: JSON.stringify(schemaOf(i)) } as const;
      const start = performance.now();
      const constraint = createConstraint(tokenizer, source);
      constraint.mask(logits);
      first.push(performance.now() - start);
      masks.push(...timeText(constraint, logits, random));
    }
  }
  const [veryFirst, ...others] = first;
  const ms = (number: number): string => `${number.toFixed(number < 1 ? 3 : 1)} ms`;
  console.log(`first use of a schema   ${ms(veryFirst)} the first, with the vocabulary`);
  console.log(`                        ${ms(quantile(others, 0.5))} others, median`);
  console.log(`                        ${ms(Math.max(...others))} others, most`);
  console.log(`mask of a token         ${ms(quantile(masks, 0.5))} median of ${masks.length}`);
  console.log(`                        ${ms(quantile(masks, 0.99))} 99th percentile`);
  console.log(`                        ${ms(Math.max(...masks))} most`);
}

/** Milliseconds of each mask along a random text of up to 150 tokens. */
function timeText(
  constraint: ReturnType<typeof createConstraint>,
  logits: Float32Array,
  random: () => number,
): number[] {
  const times: number[] = [];
  while (times.length < 150 && !constraint.isComplete) {
    logits.fill(0);
    const start = performance.now();
    constraint.mask(logits);
    times.push(performance.now() - start);
    const allowed = [...logits.keys()].filter((id) => logits[id] === 0 && !ends.has(id));
    if (allowed.length === 0) break;
    const closing = allowed.filter((id) => closers.has(id));
    const from = closing.length > 0 && random() < 0.2 ? closing : allowed;
    constraint.accept(from[Math.floor(random() * from.length)]);
  }
  return times;
}

/** Milliseconds a token of texts with and without a schema, in alternation. */
async function timeDecoding(file: string, tokens: number): Promise<void> {
  const model = await loadModel(file);
  const schema = { type: "object", properties: { text: { type: "string", minLength: 10_000 } } };
  const responseFormat = {
    type: "json_schema",
    schema: { ...schema, required: ["text"] },
  } as const;
  const all: { free: number[]; held: number[] } = { free: [], held: [] };
  const run = async (format: { responseFormat?: ResponseFormat }): Promise<number> => {
    const options = { maxTokens: tokens, seed: 1, ignoreEos: true, ...format };
    const { timings } = await model.generate("Once upon a time", options).result();
    return 1000 / timings.tokensPerSecond;
  };
  await run({ responseFormat });
  for (let round = 0; round < 5; round++) {
    all.free.push(await run({}));
    all.held.push(await run({ responseFormat }));
  }
  const [free, held] = [quantile(all.free, 0.5), quantile(all.held, 0.5)];
  const ratio = (held / free).toFixed(3);
  console.log(`a token, free           ${free.toFixed(2)} ms, ${model.threads} threads`);
  console.log(`a token, of a schema    ${held.toFixed(2)} ms, ${ratio} of that`);
  model.dispose();
}

const file = values.model ?? "models/plm-tiny.gguf";
console.log(describeMachine(readMachine("simd")));
const { tokenizer } = await inspectModel(file);
const ends = tokenizer.eosTokenIds;
/** Tokens that close what is open. */
const closers = new Set(
  Array.from({ length: tokenizer.vocabSize }, (_, id) => id).filter((id) =>
    /^["\]},]/.test(tokenizer.decode([id])),
  ),
);
timeMasks(tokenizer, Number(values.rounds));
if (values.decode !== undefined) await timeDecoding(file, Number(values.decode));
