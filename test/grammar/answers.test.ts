/**
 * Answers of the shipped model, which knows nothing of JSON, under schemas: all that end by
 * themselves parse and are valid. ANSWERS is how many there are in all.
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loadModel } from "../../src/index.js";
import { ANSWER_SCHEMAS } from "./support/answer-schemas.js";
import { validatorOf } from "./support/validator.js";

const answers = suite("answers under schemas");

const COUNT = Number(process.env.ANSWERS ?? 3 * ANSWER_SCHEMAS.length);
const AT_ONCE = 8;
const OPTIONS = { temperature: 1.5, maxTokens: 400 };

const model = await loadModel("models/plm-tiny.gguf", { threads: 1 });

/** Whether an answer ended; if it did, it is checked. */
async function answer(seed: number): Promise<boolean> {
  const schema = ANSWER_SCHEMAS[seed % ANSWER_SCHEMAS.length];
  const responseFormat = { type: "json_schema", schema } as const;
  const options = { ...OPTIONS, seed, responseFormat };
  const { text, finishReason } = await model.generate("Once upon a time", options).result();
  if (finishReason !== "eos") return false;
  const isValid = validatorOf(schema)!(JSON.parse(text));
  assert.is(isValid, true, `${JSON.stringify(schema)} does not allow ${text}`);
  return true;
}

answers("all that end parse and are valid, and at least half end", async () => {
  assert.is(new Set(ANSWER_SCHEMAS.map((schema) => JSON.stringify(schema))).size, 40);
  let next = 0;
  let ended = 0;
  const work = async (): Promise<void> => {
    while (next < COUNT) if (await answer(next++)) ended++;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  console.log(`${ended} of ${COUNT} answers ended, ${((100 * ended) / COUNT).toFixed(1)} %`);
  assert.ok(ended >= COUNT / 2, String(ended));
});

answers.run();
