/** Small PLMs with seeded random weights, as GGUF, for trials without a model. */
import { invalidArgument, PlmError } from "../errors.js";
import { quantized } from "../format/quantize.js";
import { type MetadataEntry, type TensorData, writeGguf } from "../format/writer.js";
import { createRandomSource, type RandomSource } from "../generation/random.js";
import type { PlmConfig } from "../model/config.js";
import { PLM_TENSORS, type PlmTensor } from "../model/plm-tensors.js";
import {
  type ModelTensors,
  type TensorSpec,
  tensorName,
  tensorsOf,
} from "../model/tensor-table.js";
import { modelMetadata } from "../model/write-config.js";
import { metadataOf } from "../tokenizer/write-metadata.js";
import {
  createRandomVocabulary,
  MIN_VOCAB_SIZE,
  type RandomVocabulary,
} from "./random-vocabulary.js";

/** The types of a random model's matrices. */
export type RandomModelType = "f32" | "q8_0";

/** The shape of a random model; names with the same meaning are as in PlmConfig. */
export interface RandomModelOptions {
  readonly layers: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly heads: number;
  readonly kvLoraRank: number;
  readonly nope: number;
  readonly rope: number;
  readonly vHead: number;
  readonly vocab: number;
  readonly context: number;
  readonly type: RandomModelType;
  readonly seed: number;
}

/** About a megabyte, and fast anywhere. */
export const DEFAULT_RANDOM_MODEL: RandomModelOptions = {
  layers: 4,
  hidden: 128,
  intermediate: 512,
  heads: 4,
  kvLoraRank: 64,
  nope: 32,
  rope: 32,
  vHead: 32,
  vocab: 640,
  context: 1024,
  type: "q8_0",
  seed: 0,
};

/** Least value, greatest value and unit of each number. */
const RANGES: readonly [Exclude<keyof RandomModelOptions, "type">, number, number, number][] = [
  ["layers", 1, 1024, 1],
  ["hidden", 32, 1 << 16, 32],
  ["intermediate", 32, 1 << 18, 32],
  ["heads", 1, 1024, 1],
  ["kvLoraRank", 32, 1 << 14, 32],
  ["nope", 8, 4096, 8],
  ["rope", 8, 4096, 8],
  ["vHead", 8, 4096, 8],
  ["vocab", MIN_VOCAB_SIZE, 1 << 20, 1],
  ["context", 1, 1 << 20, 1],
  ["seed", 0, Number.MAX_SAFE_INTEGER, 1],
];

/** Most values of one tensor, which is generated in memory. */
const MAX_TENSOR_VALUES = 2 ** 28;

/** Embeddings, in dimension 0, of words and of other tokens. */
const READABLE = 4;
const UNREADABLE = 1;

/** ChatML, as in PLM's template. */
const CHAT_TEMPLATE =
  "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}" +
  "{{ '<|im_start|>system\nYou are a helpful assistant<|im_end|>\n' }}{% endif %}" +
  "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/**
 * The model's file, piece by piece; the same for the same options. Weights are uniform with
 * variance 1 / inputs, so that activations and logits stay near 1. The text is random, but mostly
 * of words: dimension 0 of the residual stream, which no layer writes to, is positive, and largest
 * for words.
 * Throws INVALID_ARGUMENT for a number out of range, before the first piece.
 */
export function createRandomModel(options: RandomModelOptions): Generator<Uint8Array> {
  checkOptions(options);
  const config = configOf(options);
  const tensors = tensorsOf(PLM_TENSORS, config);
  checkSizes(tensors);
  const vocabulary = createRandomVocabulary(options.vocab);
  return writeGguf(
    createMetadata(options, config, vocabulary),
    createTensors(options, tensors, vocabulary),
  );
}

function checkOptions(options: RandomModelOptions): void {
  for (const [name, low, high, unit] of RANGES) {
    const value = options[name];
    if (Number.isInteger(value) && value >= low && value <= high && value % unit === 0) continue;
    const kind = unit === 1 ? "an integer" : `a multiple of ${unit}`;
    throw invalidArgument(name, `${kind} from ${low} to ${high}`, String(value));
  }
  const { heads, vHead } = options;
  if ((heads * vHead) % 32 > 0) {
    const expected = "heads * v-head to be a multiple of 32";
    throw invalidArgument("heads", expected, `${heads} * ${vHead}`);
  }
}

function checkSizes({ embedTokens, layer }: ModelTensors<PlmTensor>): void {
  const specs = [embedTokens, ...Object.values(layer)];
  const largest = Math.max(...specs.map(({ shape: [rows, cols] }) => rows * cols));
  if (largest <= MAX_TENSOR_VALUES) return;
  throw new PlmError(
    "INVALID_ARGUMENT",
    `model: expected tensors of at most ${MAX_TENSOR_VALUES} values, got one of ${largest}`,
  );
}

function configOf(options: RandomModelOptions): PlmConfig {
  return {
    vocabSize: options.vocab,
    hiddenSize: options.hidden,
    intermediateSize: options.intermediate,
    numHiddenLayers: options.layers,
    numAttentionHeads: options.heads,
    kvLoraRank: options.kvLoraRank,
    qkNopeHeadDim: options.nope,
    qkRopeHeadDim: options.rope,
    vHeadDim: options.vHead,
    rmsNormEps: 1e-6,
    ropeTheta: 100000,
    maxPositionEmbeddings: options.context,
  };
}

function createMetadata(
  options: RandomModelOptions,
  config: PlmConfig,
  { tokens, tokenTypes, merges, endOfTextId }: RandomVocabulary,
): MetadataEntry[] {
  const ids = { eosTokenId: endOfTextId, paddingTokenId: endOfTextId };
  return [
    ...modelMetadata(config, `Random PLM, seed ${options.seed}`, options.type === "f32" ? 0 : 7),
    ...metadataOf({ tokens, tokenTypes, merges, ...ids, chatTemplate: CHAT_TEMPLATE }),
  ];
}

/** The tensors in the order of converted files; each is made when it is written. */
function createTensors(
  { layers, type, seed }: RandomModelOptions,
  { embedTokens, layer, norm }: ModelTensors<PlmTensor>,
  { isReadable }: RandomVocabulary,
): TensorData[] {
  const random = createRandomSource(seed);
  const tensorOf = (spec: TensorSpec, i?: number): TensorData => {
    const [rows, cols] = spec.shape;
    const name = tensorName(spec, i);
    if (spec.layout === "vector") {
      const data = (): Uint8Array => new Uint8Array(new Float32Array(cols).fill(1).buffer);
      return { name, type: "F32", shape: [cols], data };
    }
    const data = (): Uint8Array => {
      const values = randomMatrix(random, rows, cols);
      if (spec.addsToResidual) values.fill(0, 0, cols);
      if (spec === embedTokens) {
        isReadable.forEach((readable, id) => {
          values[id * cols] = readable ? READABLE : UNREADABLE;
        });
      }
      return type === "f32" ? new Uint8Array(values.buffer) : quantized("Q8_0", values)!;
    };
    return { name, type: type === "f32" ? "F32" : "Q8_0", shape: [rows, cols], data };
  };
  const ofLayer = (i: number): TensorData[] => Object.values(layer).map((one) => tensorOf(one, i));
  return [
    tensorOf(embedTokens),
    ...Array.from({ length: layers }, (_, i) => ofLayer(i)).flat(),
    tensorOf(norm),
  ];
}

/** Uniform values with variance 1 / cols. */
function randomMatrix(random: RandomSource, rows: number, cols: number): Float32Array<ArrayBuffer> {
  const width = Math.sqrt(12 / cols);
  const values = new Float32Array(rows * cols);
  for (let i = 0; i < values.length; i++) values[i] = (random() - 0.5) * width;
  return values;
}
