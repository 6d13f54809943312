/** The table of tensors against written files, training and the documentation. */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { createRandomModel, DEFAULT_RANDOM_MODEL } from "../../src/cli/random-model.js";
import { type PlmConfig, parseConfig } from "../../src/model/config.js";
import { PLM_TENSORS } from "../../src/model/plm-tensors.js";
import { type TensorSpec, tensorName, tensorsOf } from "../../src/model/tensor-table.js";
import { exportGguf } from "../../src/training/export.js";
import { layoutParameters } from "../../src/training/network/parameters.js";
import { open } from "../format/support/open.js";

/** PLM-1.8B's, as its config.json has them. */
const CONFIG: PlmConfig = {
  vocabSize: 151936,
  hiddenSize: 2048,
  intermediateSize: 8192,
  numHiddenLayers: 32,
  numAttentionHeads: 16,
  kvLoraRank: 512,
  qkNopeHeadDim: 128,
  qkRopeHeadDim: 64,
  vHeadDim: 128,
  rmsNormEps: 1e-6,
  ropeTheta: 100000,
  maxPositionEmbeddings: 4096,
};

/** The names that llama.cpp gives PLM's tensors, and their shapes in the released files. */
const RELEASED: Readonly<Record<string, number[]>> = {
  "token_embd.weight": [151936, 2048],
  "blk.31.attn_norm.weight": [2048],
  "blk.31.attn_q.weight": [3072, 2048],
  "blk.31.attn_kv_a_mqa.weight": [576, 2048],
  "blk.31.attn_kv_a_norm.weight": [512],
  "blk.31.attn_kv_b.weight": [4096, 512],
  "blk.31.attn_output.weight": [2048, 2048],
  "blk.31.ffn_norm.weight": [2048],
  "blk.31.ffn_up.weight": [8192, 2048],
  "blk.31.ffn_down.weight": [2048, 8192],
  "output_norm.weight": [2048],
};

/** A tensor's shape in files. */
const shapeOf = ({ layout, shape }: TensorSpec): number[] =>
  layout === "vector" ? [shape[1]] : [...shape];

/** All tensors of a file whose head is the embedding, in order. */
function tableOf(config: PlmConfig): [name: string, shape: number[]][] {
  const { embedTokens, layer, norm } = tensorsOf(PLM_TENSORS, config);
  const named = (spec: TensorSpec, i?: number): [string, number[]] => [
    tensorName(spec, i),
    shapeOf(spec),
  ];
  const layers = Array.from({ length: config.numHiddenLayers }, (_, i) =>
    Object.values(layer).map((spec) => named(spec, i)),
  );
  return [named(embedTokens), ...layers.flat(), named(norm)];
}

test("names and shapes are the released files'", () => {
  const table = tableOf(CONFIG).filter(([name]) => !/^blk\.(?!31\.)/.test(name));
  assert.equal(table, Object.entries(RELEASED));
  const { lmHead } = tensorsOf(PLM_TENSORS, CONFIG);
  assert.is(tensorName(lmHead), "output.weight");
  assert.equal(shapeOf(lmHead), [151936, 2048]);
});

test("halves have as many values as the tensor that they replace", () => {
  const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
  for (const { shape, halves = [] } of Object.values(tensorsOf(PLM_TENSORS, CONFIG).layer)) {
    if (halves.length === 0) continue;
    assert.equal(
      halves.map(({ name }) => name),
      ["attn_k_b", "attn_v_b"],
    );
    assert.is(product(halves[0].shape) + product(halves[1].shape), product(shape));
  }
});

test("plm init and a trained model's export write the table, in its order", async () => {
  const options = { ...DEFAULT_RANDOM_MODEL, layers: 2, heads: 3, nope: 16, rope: 8, hidden: 96 };
  const random = await open(Buffer.concat([...createRandomModel(options)]));
  const config = parseConfig(random.metadata);
  const table = tableOf(config);
  const parameters = layoutParameters(config, PLM_TENSORS);
  const values = new Float32Array(parameters.length);
  for (const type of ["F32", "Q8_0"] as const) {
    const pieces = exportGguf(values, parameters, { config, type, name: "test", tokenizer: [] });
    const exported = await open(Buffer.concat([...pieces]));
    for (const { tensors } of [random, exported]) {
      assert.equal(
        Array.from(tensors.values(), ({ name, shape }) => [name, shape]),
        table,
      );
    }
    const types = Array.from(exported.tensors.values(), (tensor) => tensor.type);
    assert.equal(
      types,
      table.map(([, shape]) => (shape.length === 1 ? "F32" : type)),
    );
  }
});

test("docs/files.md lists the table and nothing else", () => {
  const [rows] = readFileSync("docs/files.md", "utf8").match(/\n\| tensor \|.*?\n\n/s)!;
  const documented = Array.from(rows.matchAll(/`([\w.]+\.weight)`/g), ([, name]) => name);
  const { embedTokens, layer, norm, lmHead } = tensorsOf(PLM_TENSORS, CONFIG);
  const ofLayer = Object.values(layer).flatMap((spec) => [spec, ...(spec.halves ?? [])]);
  const names = [
    ...[embedTokens, norm, lmHead].map((spec) => tensorName(spec)),
    ...ofLayer.map(({ name }) => `blk.N.${name}.weight`),
  ];
  assert.equal(documented.sort(), names.sort());
});

test.run();
