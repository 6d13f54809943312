import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ErrorCode } from "../../src/errors.js";
import type { TensorType } from "../../src/format/dtypes.js";
import type { TensorData } from "../../src/format/writer.js";
import { eachWeight } from "../../src/model/weights.js";
import { assertRejects, planEngine, rejection } from "./support/engine.js";
import { K_DIMS, SMALL_DIMS, type TinyOptions, type TinyParts, tinyModel } from "./support/tiny.js";

/** Fails unless the damaged model is refused with a message that has each of the parts. */
async function assertRefused(
  change: (parts: TinyParts) => void,
  parts: string[],
  options: TinyOptions = {},
  code: ErrorCode = "INVALID_FILE",
): Promise<void> {
  await assertRejects(planEngine(tinyModel(options, change)), code, ...parts);
}

/** Replaces a tensor by one of this type and shape, all zero. */
function reshape(
  { tensors }: TinyParts,
  name: string,
  shape: number[],
  type: TensorType = "F32",
): void {
  const elements = shape.reduce((a, b) => a * b, 1);
  const bytes = type === "F32" ? 4 * elements : type === "Q8_0" ? (elements / 32) * 34 : undefined;
  assert.ok(bytes !== undefined);
  tensors.set(name, { name, type, shape, data: new Uint8Array(bytes!) } satisfies TensorData);
}

const NAMES = [...tinyModelNames({})];
const SPLIT_NAMES = ["blk.1.attn_k_b.weight", "blk.1.attn_v_b.weight"];

function tinyModelNames(options: TinyOptions): Set<string> {
  const names = new Set<string>();
  tinyModel(options, ({ tensors }) => {
    for (const name of tensors.keys()) names.add(name);
  });
  return names;
}

test("every tensor that is missing is named with its shape", async () => {
  assert.is(NAMES.length, 2 + 9 * SMALL_DIMS.numHiddenLayers);
  for (const name of NAMES) {
    await assertRefused(({ tensors }) => tensors.delete(name), [name, "got nothing"]);
  }
  const all = NAMES.slice(1);
  await assertRefused(({ tensors }) => {
    for (const name of all) tensors.delete(name);
  }, all);
});

test("either half of a split kv_b may be missing", async () => {
  const options = { splitKvB: true };
  await assertRefused(
    ({ tensors }) => tensors.delete(SPLIT_NAMES[1]),
    ["blk.1.attn_v_b.weight: expected [2,16,32], got nothing"],
    options,
  );
  await assertRefused(
    ({ tensors }) => tensors.delete(SPLIT_NAMES[0]),
    ["blk.1.attn_kv_b.weight: expected [64,32], got nothing"],
    options,
  );
});

test("a transposed matrix is named with both shapes", async () => {
  for (const [name, shape] of [
    ["token_embd.weight", [64, 261]],
    ["blk.0.attn_q.weight", [64, 48]],
    ["blk.0.attn_kv_a_mqa.weight", [64, 40]],
    ["blk.1.attn_kv_b.weight", [32, 64]],
    ["blk.1.ffn_up.weight", [64, 96]],
    ["blk.1.ffn_down.weight", [96, 64]],
  ] as const) {
    const expected = `${name}: expected [${[...shape].reverse()}], got [${shape}]`;
    await assertRefused((parts) => reshape(parts, name, [...shape]), [expected]);
  }
});

test("a shape of other dimensions, of as many elements, is refused", async () => {
  for (const shape of [
    [64, 1],
    [2, 32],
    [1, 64, 1],
  ]) {
    await assertRefused(
      (parts) => reshape(parts, "blk.0.attn_norm.weight", shape),
      [`blk.0.attn_norm.weight: expected [64], got [${shape}]`],
    );
  }
  await assertRefused(
    (parts) => reshape(parts, "output_norm.weight", [32]),
    ["output_norm.weight: expected [64], got [32]"],
  );
  await assertRefused(
    (parts) => reshape(parts, "blk.1.attn_k_b.weight", [2, 16, 32]),
    ["blk.1.attn_k_b.weight: expected [2,32,16], got [2,16,32]"],
    { splitKvB: true },
  );
  await assertRefused(
    (parts) => reshape(parts, "output.weight", [260, 64]),
    ["output.weight: expected [261,64], got [260,64]"],
    { tied: false },
  );
});

test("norms are floats", async () => {
  for (const name of ["blk.0.attn_norm.weight", "blk.1.ffn_norm.weight", "output_norm.weight"]) {
    await assertRefused(
      (parts) => reshape(parts, name, [64], "Q8_0"),
      [`${name}: expected F32, F16 or BF16, got Q8_0`],
      {},
      "UNSUPPORTED_FILE",
    );
  }
});

test("rows that are not whole blocks are refused from the header", async () => {
  const narrow = { ...K_DIMS, kvLoraRank: 256, intermediateSize: 256, numAttentionHeads: 2 };
  const file = tinyModel({ dims: { ...narrow, numHiddenLayers: 1 } }, (parts) => {
    const tensor = parts.tensors.get("blk.0.attn_output.weight")!;
    tensor.shape = [256, 256];
    tensor.type = "Q4_K";
    tensor.data = new Uint8Array(256 * 144);
  });
  // The type as [256, 128], of which 256-blocks cannot be made.
  const view = new DataView(file.buffer);
  const name = new TextEncoder().encode("blk.0.attn_output.weight");
  const at = indexOf(file, name) + name.length + 4;
  assert.is(view.getBigUint64(at, true), 256n);
  view.setBigUint64(at, 128n, true);
  await assertRejects(planEngine(file), "INVALID_FILE", "blk.0.attn_output.weight", "Q4_K", "256");
});

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  const at = bytes.findIndex((_, i) => part.every((byte, j) => bytes[i + j] === byte));
  assert.ok(at >= 0);
  return at;
}

test("leading dimensions of 1 are ignored", async () => {
  for (const splitKvB of [false, true]) {
    const plain = await planEngine(tinyModel({ splitKvB }));
    const file = tinyModel({ splitKvB }, ({ tensors }) => {
      for (const [name, tensor] of tensors) {
        const ones = new Array(4 - tensor.shape.length).fill(1);
        tensors.set(name, { ...tensor, shape: [...ones, ...tensor.shape] });
      }
    });
    const { weights } = await planEngine(file);
    const shapes = ({ tensors }: { tensors: readonly { shape: number[] }[] }): number[][] =>
      tensors.map(({ shape }) => shape);
    const actual = Array.from(eachWeight(weights), shapes);
    assert.equal(actual, Array.from(eachWeight(plain.weights), shapes));
  }
});

/** Tensors that other architectures have, or that other writers add. */
const FOREIGN_TENSORS: [name: string, shape: number[]][] = [
  ["blk.0.attn_q.bias", [48]],
  ["blk.1.ffn_up.bias", [96]],
  ["output_norm.bias", [64]],
  ["output.bias", [261]],
  ["blk.0.attn_output.scale", [1]],
  ["blk.0.attn_q_norm.weight", [64]],
  ["blk.0.ffn_gate.weight", [96, 64]],
  ["blk.0.ffn_gate_exps.weight", [2, 96, 64]],
  ["blk.0.attn_rot_embd", [4]],
  ["blk.0.attn_k_b.weight", [2, 32, 16]],
  ["blk.00.attn_norm.weight", [64]],
  ["rope_freqs.weight", [4]],
  ["rope_factors_long.weight", [4]],
  ["token_embd_norm.weight", [64]],
  ["token_embd.weight.lora_a", [8, 64]],
  ["mm.0.weight", [64, 64]],
  ["nothing", [0]],
  ["scalar", []],
  ["", [1]],
];

test("tensors that PLM lacks are refused by name, all at once", async () => {
  for (const [name, shape] of FOREIGN_TENSORS) {
    const expected = `"${name}": expected no such tensors in a PLM`;
    const add = (parts: TinyParts): void => reshape(parts, name, shape);
    await assertRefused(add, [expected], {}, "UNSUPPORTED_FILE");
  }
  const addAll = (parts: TinyParts): void => {
    for (const [name, shape] of FOREIGN_TENSORS) reshape(parts, name, shape);
  };
  const names = FOREIGN_TENSORS.map(([name]) => `"${name}"`);
  await assertRefused(addAll, [`${names.join(", ")}: expected no`], {}, "UNSUPPORTED_FILE");
});

test("layers beyond the count are refused", async () => {
  const one = { key: "plm.block_count", type: "uint32" as const, value: 1 };
  const names = NAMES.filter((name) => name.startsWith("blk.1."));
  assert.is(names.length, 9);
  const list = names.map((name) => `"${name}"`).join(", ");
  const message = `${list}: expected 1 layers (plm.block_count)`;
  await assertRefused(({ metadata }) => metadata.set(one.key, one), [message]);
  await assertRefused(
    (parts) => reshape(parts, "blk.99.any", [4]),
    ['"blk.99.any": expected 2 lay'],
  );
});

test("of endless foreign tensors a message names some", async () => {
  const file = tinyModel({}, (parts) => {
    for (let i = 0; i < 2000; i++) reshape(parts, `${"x".repeat(200)}${i}`, [1]);
  });
  const { message } = (await rejection(planEngine(file))) as Error;
  assert.match(message, /", and 1980 more: expected no such tensors in a PLM$/);
  assert.ok(message.length < 3000, `${message.length}`);
});

test.run();
