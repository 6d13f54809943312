/** The cost of keeping fewer bits of a model's product inputs. */
import {
  type ReferenceModel,
  type ReplaceInput,
  referenceForward,
} from "../../test/model/support/reference-forward.js";

/** The products of a layer, in order, and the output head. */
export const PRODUCTS: readonly string[] = [
  ...["attn_q", "attn_kv_a_mqa", "attn_kv_b", "attn_output", "ffn_up", "ffn_down"],
  "output",
];

/** Numbers that share a scale. */
const BLOCK = 32;

/**
 * x in blocks of 32, each rounded to whole multiples of its largest magnitude / (2^(bits - 1) - 1).
 */
export function roundBlocks(x: ArrayLike<number>, bits: number): Float64Array {
  const rounded = Float64Array.from(x);
  for (let first = 0; first < rounded.length; first += BLOCK) {
    const block = rounded.subarray(first, first + BLOCK);
    const largest = block.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (largest === 0) continue;
    const scale = largest / (2 ** (bits - 1) - 1);
    for (let i = 0; i < block.length; i++) block[i] = Math.round(block[i] / scale) * scale;
  }
  return rounded;
}

/** KL(p || q) of the distributions of two rows of logits, in nats. */
export function divergence(p: ArrayLike<number>, q: ArrayLike<number>): number {
  const [pLog, qLog] = [logSoftmax(p), logSoftmax(q)];
  return pLog.reduce((sum, log, i) => sum + Math.exp(log) * (log - qLog[i]), 0);
}

function logSoftmax(logits: ArrayLike<number>): Float64Array {
  const log = Float64Array.from(logits);
  const largest = log.reduce((most, value) => Math.max(most, value), -Infinity);
  const total = log.reduce((sum, value) => sum + Math.exp(value - largest), 0);
  return log.map((value) => value - largest - Math.log(total));
}

/** Sequences of tokens and a model's exact logits of each. */
export class RoundingBench {
  readonly model: ReferenceModel;
  readonly #sequences: readonly ArrayLike<number>[];
  readonly #exact: readonly (readonly Float64Array[])[];
  readonly #zeros = new Map<string, { values: number; zeros: number }>();

  constructor(model: ReferenceModel, sequences: readonly ArrayLike<number>[]) {
    this.model = model;
    this.#sequences = sequences;
    this.#exact = sequences.map((tokens) =>
      referenceForward(model, tokens, (name, x) => this.#countZeros(name, x)),
    );
  }

  /** Share of zeros in the input of each layer's down-projection. */
  get zeroShares(): number[] {
    return Array.from(this.#zeros.values(), ({ values, zeros }) => zeros / values);
  }

  /** Mean KL, over all positions, of rounding the inputs of some products. */
  divergence(products: readonly string[], bits: number): number {
    const round: ReplaceInput = (name, x) =>
      products.includes(productOf(name)) ? roundBlocks(x, bits) : x;
    let sum = 0;
    let positions = 0;
    this.#sequences.forEach((tokens, s) => {
      referenceForward(this.model, tokens, round).forEach((logits, t) => {
        sum += divergence(this.#exact[s][t], logits);
        positions++;
      });
    });
    return sum / positions;
  }

  #countZeros(name: string, x: ArrayLike<number>): ArrayLike<number> {
    if (productOf(name) !== "ffn_down") return x;
    const count = this.#zeros.get(name) ?? { values: 0, zeros: 0 };
    count.values += x.length;
    for (let i = 0; i < x.length; i++) if (x[i] === 0) count.zeros++;
    this.#zeros.set(name, count);
    return x;
  }
}

/** "attn_q" of "blk.0.attn_q". */
function productOf(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** A product's share of the multiplications of all layers; NaN for the output head. */
export function shareOfLayer({ tensors }: ReferenceModel, product: string): number {
  if (product === "output") return NaN;
  // If kv_b is split, it is k_b and v_b.
  const parts: Record<string, string[]> = { attn_kv_b: ["attn_kv_b", "attn_k_b", "attn_v_b"] };
  const sizeOf = (products: readonly string[]): number =>
    Array.from(tensors).reduce((sum, [name, { values }]) => {
      const isOne = products.includes(productOf(name.replace(/\.weight$/, "")));
      return name.startsWith("blk.") && isOne ? sum + values.length : sum;
    }, 0);
  const all = PRODUCTS.flatMap((one) => parts[one] ?? one).filter((one) => one !== "output");
  return sizeOf(parts[product] ?? [product]) / sizeOf(all);
}
