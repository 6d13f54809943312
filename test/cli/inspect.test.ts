import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { tinyModel } from "../model/support/tiny.js";
import { assertFails, folder, json, model, output } from "./support/plm.js";

interface InspectJson {
  architecture: string;
  parameters: number;
  config: Record<string, number>;
  tensors: {
    count: number;
    bytes: number;
    types: Record<string, { count: number; bytes: number }>;
  };
  memory: {
    totalBytes: number;
    weightsBytes: number;
    cacheBytes: number;
    scratchBytes: number;
    regions: { kind: string; name: string; ptr: number; bytes: number }[];
  };
  tokenizer: { vocabSize: number; eosTokenIds: number[]; pre: string };
  chatTemplate: string;
  namedChatTemplates: Record<string, string>;
}

test("inspect shows architecture, tensors, memory, tokenizer and template", async () => {
  const { tensors, memory, config, ...report } = await json<InspectJson>(
    ...["inspect", "-m", model, "--context", "100", "--cache", "f32"],
  );
  assert.is(report.architecture, "plm");
  assert.is(config.numHiddenLayers, 2);
  assert.is(config.maxPositionEmbeddings, 1024);
  assert.is(tensors.count, 2 + 2 * 9);
  const { Q8_0, F32 } = tensors.types;
  assert.is(Q8_0.count + F32.count, tensors.count);
  assert.is(report.parameters, (Q8_0.bytes / 34) * 32 + F32.bytes / 4);
  // Two pages of 64 rows in each layer.
  assert.is(memory.cacheBytes, 2 * 2 * 64 * (64 + 32) * 4);
  const sum = memory.regions.reduce((total, { bytes }) => total + bytes, 0);
  assert.is(memory.weightsBytes + memory.cacheBytes + memory.scratchBytes, sum);
  assert.ok(memory.totalBytes >= sum);
  assert.is(report.tokenizer.vocabSize, 640);
  assert.is(report.tokenizer.pre, "qwen2");
  assert.is(report.tokenizer.eosTokenIds.length, 2);
  assert.match(report.chatTemplate, /im_start/);
  assert.equal(report.namedChatTemplates, {});
});

test("inspect for people", async () => {
  const text = await output("inspect", "-m", model);
  assert.match(text, /^Model\n {2}name +Random PLM, seed 0\n/);
  assert.match(text, /\nTensors\n {2}Q8_0 +\d+ tensors, .* kB\n/);
  assert.match(text, /\nMemory\n {2}weights .*\n {2}cache .*\(i16, 1024 tokens in 32 pages\)\n/);
  assert.match(text, / {2}chat template +present\n$/);
});

test("inspect names the chat templates that have a name", async () => {
  const templates = ["tool_use", "rag\u001b"].map((name) => `tokenizer.chat_template.${name}`);
  const withTemplates = (keys: string[]) =>
    tinyModel({ type: "Q8_0" }, ({ metadata }) => {
      for (const key of keys) metadata.set(key, { key, type: "string", value: "{{ messages }}" });
    });
  for (const [keys, expected] of [
    [[], "none"],
    [templates, 'only named "tool_use", "rag\\u001b"'],
    [["tokenizer.chat_template", templates[0]], 'present, and named "tool_use"'],
  ] as const) {
    writeFileSync(join(folder, "templates.gguf"), withTemplates([...keys]));
    const text = await output("inspect", "-m", "templates.gguf");
    assert.is(/chat template +(.*)\n$/.exec(text)?.[1], expected);
  }
});

test("init writes the same file for the same options, and spares files that exist", async () => {
  const flags = ["--layers", "1", "--hidden", "64", "--vocab", "300", "--type", "f32"];
  const [{ bytes }, , other] = await Promise.all([
    json<{ bytes: number }>("init", "--out", "one.gguf", "--seed", "4", ...flags),
    output("init", "--out", "two.gguf", "--seed", "4", ...flags),
    output("init", "--out", "three.gguf", "--seed", "5", ...flags),
  ]);
  const read = (name: string): Buffer => readFileSync(join(folder, name));
  assert.match(other, /^three\.gguf: [\d.]+ kB\n$/);
  assert.is(read("one.gguf").length, bytes);
  assert.is(read("one.gguf").equals(read("two.gguf")), true);
  assert.is(read("one.gguf").equals(read("three.gguf")), false);

  writeFileSync(join(folder, "precious.gguf"), "precious");
  await assertFails(/precious\.gguf, which exists; --force/, "init", "-o", "precious.gguf");
  assert.is(String(read("precious.gguf")), "precious");
  await output("init", "-o", "precious.gguf", "--force");
  assert.ok(statSync(join(folder, "precious.gguf")).size > 1000);
});

test("init refuses dims that the model cannot have", async () => {
  const init = (...args: string[]): string[] => ["init", "-o", "never.gguf", ...args];
  await Promise.all([
    assertFails(/--hidden: expected a multiple of 32.*got 33/, ...init("--hidden", "33")),
    assertFails(/--vocab: expected .* 259 .*got 100/, ...init("--vocab", "100")),
    assertFails(/--heads: expected heads \* v-head/, ...init("--heads", "1", "--v-head", "8")),
    assertFails(/--type <type>' argument 'q4'/, ...init("--type", "q4")),
    assertFails(/tensors of at most/, ...init("--hidden", "65536", "--vocab", "1000000")),
    assertFails(
      /--out: no.x.gguf could not be written: ENOENT/,
      "init",
      "-o",
      join("no", "x.gguf"),
    ),
  ]);
});

test.run();
