/** `plm convert` and `plm export`. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
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

mkdirSync(join(folder, "convert"));
const floats = writeRandomModel("convert/floats.gguf", { type: "f32", layers: 1 });
const at = (name: string): string => join(folder, "convert", name);

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
    const command = ["logits", "--ids", "1,2,3,4", "-t", "1", "-o", at(`${quantize}.f32`)];
    await output(...command, "-m", out);
    const expected = readFileSync(at(`${quantize}.f32`));
    await output(...command, "-m", checkpoint, "--quantize", quantize);
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
  const told = await json<Record<string, unknown>>("export", floats, at("exported"));
  assert.is(told.changed, 0);
  assert.equal(readdirSync(at("exported")).sort(), [
    ...["chat_template.jinja", "config.json", "generation_config.json", "model.safetensors"],
    ...["tokenizer.json", "tokenizer_config.json"],
  ]);
  await output("convert", at("exported"), at("again.gguf"));
  await output("export", at("again.gguf"), at("twice"), "--tokenizer", "vocab");
  await output("convert", at("twice"), at("twice.gguf"));
  assert.ok(readFileSync(at("again.gguf")).equals(readFileSync(at("twice.gguf"))));
});

test("refusals name the argument or the file, and leave nothing", async () => {
  const before = readdirSync(at(""));
  const existing = at("none.gguf");
  await assertFails(/^plm: .*floats\.gguf: expected config\.json/, "convert", floats, at("x.gguf"));
  await assertFails(/missing.*ENOENT/, "convert", at("missing"), at("x.gguf"));
  await assertFails(/none\.gguf, which exists; --force/, "convert", checkpoint, existing);
  await assertFails(
    /folder: expected a new folder, got .*which exists/,
    "export",
    floats,
    existing,
  );
  await assertFails(/folder: .*could not be written/, "export", floats, at("no/such/folder"));
  const input = join(checkpoint, "config.json");
  await assertFails(/out: expected another file/, "convert", checkpoint, input, "--force");
  assert.equal(readdirSync(at("")), before);
});

test("weights that could not be loaded leave no file, and an interrupt no folder", async () => {
  const damaged = at("damaged");
  cpSync(checkpoint, damaged, { recursive: true });
  const shard = join(damaged, "model-00001-of-00002.safetensors");
  const file = readFileSync(shard);
  // The upper half of a BF16 infinity in the first tensor, the embedding.
  file.writeUInt16LE(0x7f80, 8 + Number(file.readBigUInt64LE(0)) + 64);
  writeFileSync(shard, file);
  const before = readdirSync(at(""));
  for (const quantize of ["none", "q8_0"]) {
    const args = ["convert", damaged, at("x.gguf"), "--quantize", quantize];
    await assertFails(/tensor ".*embd?.*": expected finite weights/, ...args);
  }
  const child = start("export", floats, at("interrupted"));
  setTimeout(() => child.kill("SIGINT"), 150);
  const { code } = await finish(child);
  const isWhole = existsSync(join(at("interrupted"), "model.safetensors"));
  assert.is(isWhole, code === 0);
  const left = readdirSync(at("")).filter((name) => name !== "interrupted");
  assert.equal(left, before);
});

test.run();
