/** `plm quantize`, and how commands write files. */
import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { mkdir, readFile, symlink, watch } from "node:fs/promises";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { writeOutput } from "../../src/cli/output-file.js";
import { createRandomModel, DEFAULT_RANDOM_MODEL } from "../../src/cli/random-model.js";
import { encodeGguf, type TensorData } from "../../src/format/writer.js";
import { openGguf, openSources, type TensorInfo } from "../../src/index.js";
import { engineLogits, loadEngine } from "../model/support/engine.js";
import { SMALL_DIMS, type TinyOptions, type TinyParts, tinyModel } from "../model/support/tiny.js";
import {
  assertFails,
  finish,
  folder,
  json,
  model,
  output,
  plm,
  start,
  writeRandomModel,
} from "./support/plm.js";

const floats = writeRandomModel("floats.gguf", { type: "f32", layers: 1 });
const bytes = (name: string): Buffer => readFileSync(join(folder, name));

/** A folder of its own below that of all tests. */
async function newFolder(name: string): Promise<string> {
  await mkdir(join(folder, name));
  return join(folder, name);
}

async function tensorsOf(path: string): Promise<Map<string, TensorInfo>> {
  const { tensors } = await openGguf(await openSources(readFileSync(path)));
  return tensors;
}

async function typesOf(path: string): Promise<Set<string>> {
  const tensors = await tensorsOf(path);
  return new Set(Array.from(tensors.values(), ({ type, shape }) => `${shape.length}-D ${type}`));
}

test("a float model becomes smaller and runs; --json has the sizes", async () => {
  for (const [flag, type, most] of [
    ["q8_0", "Q8_0", 0.28] as const,
    ["q4_0", "Q4_0", 0.16] as const,
  ]) {
    const out = join(folder, `${flag}.gguf`);
    const told = await json<Record<string, unknown>>("quantize", "--type", flag, floats, out);
    assert.equal(told, {
      ...{ out, type, tensors: 11, changed: 7 },
      inputBytes: readFileSync(floats).length,
      outputBytes: readFileSync(out).length,
    });
    assert.ok(
      Number(told.outputBytes) < Number(told.inputBytes) * most + 30000,
      `${told.outputBytes}`,
    );
    assert.equal(await typesOf(out), new Set([`2-D ${type}`, "1-D F32"]));
    const text = await output("generate", "-m", out, "-p", "Once", "-n", "5", "--temperature", "0");
    assert.ok(text.length > 5);
  }
});

test("for people: one line, and a note on rows that are not whole blocks", async () => {
  // Keys that are split off have rows of qkNopeHeadDim values: 16.
  const dims = { ...SMALL_DIMS, numHiddenLayers: 4 };
  writeFileSync(join(folder, "ragged.gguf"), tinyModel({ dims, splitKvB: true }));
  const run = await plm("quantize", "--type", "q4_0", "ragged.gguf", "ragged-q4.gguf");
  assert.is(run.code, 0);
  assert.match(
    run.stdout,
    /^ragged-q4\.gguf: [\d.]+ kB, from [\d.]+ kB; 25 of 42 tensors became Q4_0\n$/,
  );
  const names = [0, 1, 2].map((layer) => `"blk.${layer}.attn_k_b.weight"`).join(", ");
  assert.match(run.stderr, /^plm: kept as they are, .*\n$/);
  assert.ok(run.stderr.endsWith(`multiple of 32: ${names}, and 1 more\n`), run.stderr);
});

test("Q8_0 to Q8_0 changes no tensor, and once more no byte", async () => {
  await output("quantize", "--type", "q8_0", model, "same.gguf");
  await output("quantize", "--type", "q8_0", "same.gguf", "again.gguf");
  assert.is(bytes("again.gguf").equals(bytes("same.gguf")), true);
  const before = await tensorsOf(model);
  const after = await tensorsOf(join(folder, "same.gguf"));
  for (const [name, { offset, byteLength }] of before) {
    const start = after.get(name)!.offset;
    const same = bytes("same.gguf").subarray(start, start + byteLength);
    assert.is(
      bytes("model.gguf")
        .subarray(offset, offset + byteLength)
        .equals(same),
      true,
      name,
    );
  }
});

test("bad input is reported in one line, and nothing is left behind", async () => {
  const k: TensorData = { name: "k", type: "Q4_K", shape: [1, 256], data: new Uint8Array(144) };
  writeFileSync(join(folder, "k.gguf"), encodeGguf([], [k]));
  writeFileSync(join(folder, "text.gguf"), "this is no model");
  writeFileSync(join(folder, "precious.gguf"), "precious");
  await symlink(floats, join(folder, "link.gguf"));
  const before = readdirSync(folder).sort();
  const input = readFileSync(floats);
  const q4 = (...args: string[]): string[] => ["quantize", "--type", "q4_0", ...args];
  await Promise.all([
    assertFails(/no-such\.gguf: ENOENT/, ...q4("no-such.gguf", "x.gguf")),
    assertFails(/text\.gguf.*not a GGUF file/, ...q4("text.gguf", "x.gguf")),
    assertFails(/tensor "k": expected one of F32, .*got Q4_K/, ...q4("k.gguf", "x.gguf")),
    assertFails(/out: no.x.gguf could not be written: ENOENT/, ...q4(floats, join("no", "x.gguf"))),
    assertFails(/out: expected a new file, got \., which is no reg/, ...q4(floats, ".", "--force")),
    assertFails(/out: expected a new file, got ""/, ...q4(floats, "")),
    assertFails(/precious\.gguf, which exists; --force/, ...q4(floats, "precious.gguf")),
    assertFails(/expected another file than the input/, ...q4(floats, "floats.gguf", "--force")),
    assertFails(/expected another file than the input/, ...q4(floats, "link.gguf", "--force")),
    assertFails(/argument 'q3' is invalid.*q4_0, q8_0/, "quantize", "--type", "q3", floats, "x"),
    assertFails(/'--type <type>' not specified/, "quantize", floats, "x.gguf"),
    assertFails(/missing required argument 'out'/, ...q4(floats)),
  ]);
  assert.equal(readdirSync(folder).sort(), before);
  assert.is(String(bytes("precious.gguf")), "precious");
  assert.is(readFileSync(floats).equals(input), true);
  await output(...q4(floats, "precious.gguf", "--force"));
  assert.ok(bytes("precious.gguf").length > 1000);
});

/** A small model of floats with something changed, as a file; its path. */
function writeTinyModel(
  name: string,
  change: (parts: TinyParts) => void,
  options: TinyOptions = {},
): string {
  writeFileSync(join(folder, name), tinyModel(options, change));
  return name;
}

/** Replaces a tensor's values by these, over and over. */
function fill({ tensors }: TinyParts, name: string, value: number): void {
  const tensor = tensors.get(name)!;
  const count = tensor.shape.reduce((a, b) => a * b);
  tensors.set(name, {
    ...tensor,
    data: new Uint8Array(new Float32Array(count).fill(value).buffer),
  });
}

test("a file that could not be loaded is refused, and nothing is written", async () => {
  const extra: TensorData = {
    ...{ name: "blk.0.attn_q.bias", type: "F32", shape: [48] },
    data: new Uint8Array(192),
  };
  const cases: [RegExp, (parts: TinyParts) => void][] = [
    [
      /"blk\.0\.attn_q\.bias": expected no such tensors in a PLM/,
      ({ tensors }) => tensors.set(extra.name, extra),
    ],
    [
      /"blk\.1\.attn_norm\.weight", .*: expected 1 layers \(plm\.block_count\)/,
      ({ metadata }) => {
        metadata.set("plm.block_count", { key: "plm.block_count", type: "uint32", value: 1 });
      },
    ],
    [/output_norm\.weight: expected \[64\]/, ({ tensors }) => tensors.delete("output_norm.weight")],
    [/general\.architecture/, ({ metadata }) => metadata.delete("general.architecture")],
    [/tokenizer\.ggml\.model/, ({ metadata }) => metadata.delete("tokenizer.ggml.model")],
    [
      /plm\.attn_logit_softcapping": expected no such key/,
      ({ metadata }) => {
        const key = "plm.attn_logit_softcapping";
        metadata.set(key, { key, type: "float32", value: 30 });
      },
    ],
    [/tensor "output_norm\.weight": expected finite/, (p) => fill(p, "output_norm.weight", NaN)],
    [/tensor "token_embd\.weight": expected finite/, (p) => fill(p, "token_embd.weight", NaN)],
    [/tensor "blk\.1\.ffn_up\.weight": expected/, (p) => fill(p, "blk.1.ffn_up.weight", 1e5)],
  ];
  for (const [i, [message, change]] of cases.entries()) {
    const path = writeTinyModel(`refused-${i}.gguf`, change);
    await assertFails(message, "quantize", "--type", "q8_0", path, "refused.gguf");
  }
  const left = readdirSync(folder).filter((name) => /^refused\.gguf/.test(name));
  assert.equal(left, []);
});

test("what is written loads, whatever shape the file has", async () => {
  const flat = ({ tensors }: TinyParts): void => {
    for (const [name, tensor] of tensors) {
      const { shape } = tensor;
      tensors.set(name, {
        ...tensor,
        shape: shape.length === 1 ? [1, 1, ...shape] : [1, ...shape],
      });
    }
  };
  const left = ({ metadata }: TinyParts): void => {
    metadata.set("split.no", { key: "split.no", type: "uint16", value: 3 });
    metadata.set("split.count", { key: "split.count", type: "uint16", value: 0 });
    metadata.set("general.alignment", { key: "general.alignment", type: "uint32", value: 1 });
  };
  const cases: [TinyOptions, (parts: TinyParts) => void][] = [
    [{}, flat],
    [{ splitKvB: true, type: "F16" }, left],
    [{ tied: false, type: "BF16" }, () => {}],
  ];
  for (const [i, [options, change]] of cases.entries()) {
    const path = writeTinyModel(`odd-${i}.gguf`, change, options);
    for (const type of ["q8_0", "q4_0"]) {
      const run = await plm("quantize", "--type", type, path, `odd-${i}-${type}.gguf`);
      assert.is(run.code, 0, run.stderr);
      const loaded = await loadEngine(readFileSync(join(folder, `odd-${i}-${type}.gguf`)));
      const [logits] = await engineLogits(loaded, [1]);
      assert.ok(logits.every(Number.isFinite));
      loaded.dispose();
    }
  }
});

test("no signal leaves anything", async () => {
  // Far more to do than the signal takes to come; the file has no data on the disk.
  const size = { hidden: 1 << 13, intermediate: 1 << 14, layers: 2 };
  const [header] = createRandomModel({ ...DEFAULT_RANDOM_MODEL, ...size, type: "f32" });
  const path = await newFolder("interrupted");
  const from = join(path, "big.gguf");
  writeFileSync(from, header);
  truncateSync(from, header.length + 2 ** 32);
  for (const [signals, expected] of [
    [["SIGINT"], 130] as const,
    [["SIGTERM"], 143] as const,
    [["SIGHUP"], 129] as const,
    [["SIGTERM", "SIGTERM"], 143] as const,
  ]) {
    const changes = watch(path);
    const child = start("quantize", "--type", "q8_0", from, join(path, "out.gguf"));
    const ended = finish(child);
    for await (const { filename } of changes) if (filename?.endsWith(".unfinished")) break;
    for (const signal of signals) child.kill(signal);
    const { code, stdout, stderr } = await ended;
    assert.equal([code, stdout, stderr], [expected, "", ""]);
    assert.equal(readdirSync(path), ["big.gguf"]);
  }
});

test("a file is there when it is whole, and what it replaces until then", async () => {
  const path = await newFolder("written");
  const place = { path: join(path, "out"), label: "out", force: true };
  const { signal } = new AbortController();
  const told: number[] = [];
  async function* pieces(error?: Error): AsyncGenerator<Uint8Array> {
    yield Uint8Array.of(1, 2);
    const names = readdirSync(path);
    assert.is(names.filter((name) => /^out\.\d+\.unfinished$/.test(name)).length, 1);
    if (error !== undefined) throw error;
    yield Uint8Array.of(3);
  }
  assert.is(await writeOutput(place, pieces(), signal, (n) => told.push(n)), 3);
  assert.equal(told, [2, 3]);
  assert.equal([...(await readFile(place.path))], [1, 2, 3]);
  await symlink(place.path, join(path, "link"));
  // Of a killed process that had the same id, as in a container.
  writeFileSync(`${place.path}.${process.pid}.unfinished`, "left");

  const full = new Error("no space left");
  const failed = writeOutput(place, pieces(full), signal).catch((error: unknown) => error);
  assert.is(await failed, full);
  const late = writeOutput(place, pieces(), AbortSignal.abort("late")).catch((error) => error);
  assert.is(await late, "late");
  assert.equal([...(await readFile(place.path))], [1, 2, 3]);

  const throughLink = { ...place, path: join(path, "link") };
  await writeOutput(throughLink, [Uint8Array.of(9)], signal);
  assert.equal([...(await readFile(place.path))], [9]);
  assert.equal(readdirSync(path).sort(), ["link", "out"]);
});

test("an output is a path; a link that leads nowhere is left as it is", async () => {
  const path = await newFolder("paths");
  const { signal } = new AbortController();
  const before = process.cwd();
  process.chdir(path);
  try {
    writeFileSync("file:out", "old");
    const place = { path: "file:out", label: "out" };
    const refused = await writeOutput(place, [], signal).catch((error: Error) => error.message);
    assert.match(String(refused), "which exists; --force overwrites it");
    assert.is(readFileSync("file:out", "utf8"), "old");
  } finally {
    process.chdir(before);
  }
  await symlink(join(path, "nothing"), join(path, "link"));
  const place = { path: join(path, "link"), label: "out", force: true };
  const refused = await writeOutput(place, [], signal).catch((error: Error) => error.message);
  assert.match(String(refused), "a link that leads nowhere");
  assert.equal(readdirSync(path).sort(), ["file:out", "link"]);
});

test.run();
