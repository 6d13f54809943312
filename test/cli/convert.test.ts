/** `plm convert` and `plm export`. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { makeCheckpoint } from "../checkpoint/support/checkpoint.js";
import { tinyModel } from "../model/support/tiny.js";
import {
  assertFails,
  finish,
  folder,
  json,
  output,
  start,
  writeRandomModel,
} from "./support/plm.js";

const floats = writeRandomModel("floats.gguf", { type: "f32", layers: 1 });
const at = (name: string): string => join(folder, name);

/** A folder of a tiny model. */
async function writeCheckpoint(name: string): Promise<string> {
  mkdirSync(at(name));
  for (const [file, bytes] of await makeCheckpoint(tinyModel({ type: "BF16" }), { shards: 2 })) {
    writeFileSync(join(at(name), file), bytes);
  }
  return at(name);
}

const checkpoint = await writeCheckpoint("checkpoint");

test("convert writes a model with the logits of its folder", async () => {
  for (const quantize of ["none", "q8_0", "q4_0"]) {
    const out = at(`${quantize}.gguf`);
    const told = await json<Record<string, unknown>>(
      ...["convert", checkpoint, out, "--quantize", quantize],
    );
    const outputBytes = readFileSync(out).length;
    const { inputBytes } = told;
    assert.equal(told, { out, quantize, tensors: 20, inputBytes, outputBytes });
    const logits = (...model: string[]): string[] => [
      "logits",
      "--ids",
      "1,2,3,4",
      "-t",
      "1",
      "-o",
      `${quantize}.f32`,
      ...model,
    ];
    await output(...logits("-m", out));
    const expected = readFileSync(at(`${quantize}.f32`));
    await output(...logits("-m", checkpoint, "--quantize", quantize));
    assert.ok(readFileSync(at(`${quantize}.f32`)).equals(expected), quantize);
  }
});

test("commands take a folder as a model", async () => {
  const inspected = await json<{ tensors: { types: object } }>("inspect", "-m", checkpoint);
  assert.equal(Object.keys(inspected.tensors.types).sort(), ["BF16", "F32"]);
  assert.equal(await json("tokenize", "-m", checkpoint, "--text", "ab"), { ids: [97, 98] });
  await output("quantize", checkpoint, at("from-folder.gguf"), "--type", "q8_0");
  assert.ok(readFileSync(at("from-folder.gguf")).equals(readFileSync(at("q8_0.gguf"))));
});

test("export and convert are inverse", async () => {
  const told = await json<Record<string, unknown>>("export", floats, "exported");
  assert.is(told.changed, 0);
  assert.equal(readdirSync(at("exported")).sort(), [
    ...["chat_template.jinja", "config.json", "generation_config.json", "model.safetensors"],
    ...["tokenizer.json", "tokenizer_config.json"],
  ]);
  await output("convert", "exported", "again.gguf");
  await output("export", "again.gguf", "twice", "--tokenizer", "vocab");
  await output("convert", "twice", "twice.gguf");
  assert.ok(readFileSync(at("again.gguf")).equals(readFileSync(at("twice.gguf"))));
});

test("refusals name the argument or the file, and leave nothing", async () => {
  const before = readdirSync(folder);
  await assertFails(/^plm: .*floats\.gguf: expected config\.json/, "convert", floats, "x.gguf");
  await assertFails(/missing.*ENOENT/, "convert", "missing", "x.gguf");
  await assertFails(/none\.gguf, which exists; --force/, "convert", checkpoint, "none.gguf");
  await assertFails(
    /folder: expected a new folder, got twice, which exists/,
    "export",
    floats,
    "twice",
  );
  await assertFails(/folder: .*could not be written/, "export", floats, "no/such/folder");
  const input = join(checkpoint, "config.json");
  await assertFails(/out: expected another file/, "convert", checkpoint, input, "--force");
  assert.equal(readdirSync(folder), before);
});

test("a model whose data end early leaves no folder", async () => {
  const file = readFileSync(floats);
  writeFileSync(at("nan.gguf"), file);
  const short = start("export", "nan.gguf", "/dev/full/x");
  const { code } = await finish(short);
  assert.is(code, 1);
  assert.not(existsSync("/dev/full/x"));
});

test.run();
