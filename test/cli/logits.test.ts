import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadModel } from "../../src/index.js";
import { seededRandom } from "../support/random.js";
import { assertFails, folder, json, model, output } from "./support/plm.js";

const random = seededRandom(12);
const TOKENS = Array.from({ length: 300 }, () => Math.floor(random() * 640));

/** What the library evaluates in chunks of this many tokens. */
async function expectLogits(chunkSize: number, cacheType: "i16" | "f32" = "i16"): Promise<Buffer> {
  const library = await loadModel(model, { cacheType });
  const session = library.createSession();
  const logits = await session.evaluate(TOKENS, { logits: "all", chunkSize });
  return Buffer.from(logits.buffer);
}

test("the file has what the library evaluates, for any chunk", async () => {
  const logits = ["logits", "-m", model, "--tokens", TOKENS.join(",")];
  const [whole, single, ninety, standard] = await Promise.all([
    json("logits", ...logits.slice(1), "--out", "whole.f32", "--chunk", "300"),
    output(...logits, "--out", "single.f32", "--chunk", "1", "--cache", "f32"),
    output(...logits, "--out", "ninety.f32", "--chunk", "90", "--context", "300"),
    output(...logits, "--out", "standard.f32"),
  ]);
  assert.equal(whole, { out: "whole.f32", tokens: 300, vocabSize: 640 });
  for (const line of [single, ninety, standard]) assert.match(line, /float32 \[300, 640\]\n$/);
  const read = (name: string): Buffer => readFileSync(join(folder, name));
  assert.is(read("whole.f32").equals(await expectLogits(300)), true);
  assert.is(read("single.f32").equals(await expectLogits(1, "f32")), true);
  assert.is(read("ninety.f32").equals(await expectLogits(90)), true);
  assert.is(read("standard.f32").equals(await expectLogits(256)), true);
});

test("nothing is written where the tokens or the path are wrong", async () => {
  const logits = (...args: string[]): string[] => ["logits", "-m", model, ...args];
  const none = join("nowhere", "x.f32");
  await Promise.all([
    assertFails(/ids from 0 to 639, got 640/, ...logits("--tokens", "1,640", "-o", "x.f32")),
    assertFails(/at most 2 .*got 3/, ...logits("--tokens", "1,2,3", "-o", "x.f32", "-c", "2")),
    assertFails(/--tokens: expected token ids/, ...logits("--tokens", "1,,2", "-o", "x.f32")),
    assertFails(/--chunk: expected/, ...logits("--tokens", "1", "-o", "x.f32", "--chunk", "0")),
    assertFails(/--out: .* could not be written: ENOENT/, ...logits("--tokens", "1", "-o", none)),
  ]);
  assert.is(existsSync(join(folder, "x.f32")), false);
});

test.run();
