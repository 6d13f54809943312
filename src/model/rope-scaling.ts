/** Stretches rotary embeddings over more positions than a model was trained on. */
import type { MetadataReader } from "./metadata-reader.js";

/** Named as in config.json's `rope_scaling`. */
export interface RopeScaling {
  readonly ropeType: "linear" | "yarn";
  /** Positions, as a multiple of those in training. */
  readonly factor: number;
  /** Multiplies rotated queries and keys. */
  readonly attentionFactor: number;
  /** YaRN: positions of training. */
  readonly originalMaxPositionEmbeddings: number;
  /** YaRN: dims with more turns than this over training's positions keep their frequency. */
  readonly betaFast: number;
  /** YaRN: dims with fewer turns than this are stretched by the whole factor. */
  readonly betaSlow: number;
  /** YaRN: share of the kept frequency where it is kept, 0 to 1. */
  readonly extrapolationFactor: number;
}

/**
 * Reads `plm.rope.scaling.*` as llama.cpp does; undefined if it changes nothing. YaRN's default
 * attention factor is 0.1 ln(factor) + 1 (Peng et al. 2023, section 3.4).
 */
export function readRopeScaling(
  reader: MetadataReader,
  maxPositionEmbeddings: number,
): RopeScaling | undefined {
  const typeKey = "plm.rope.scaling.type";
  const type = reader.text(typeKey, "linear");
  // "finetuned" describes the weights' origin. The older key counts if the newer is missing.
  reader.value("plm.rope.scaling.finetuned");
  const older = reader.number("plm.rope.scale_linear", 0);
  const factor = reader.number("plm.rope.scaling.factor", older) || 1;
  const stored = reader.positive("plm.rope.scaling.attn_factor", 1);
  const key = "plm.rope.scaling.original_context_length";
  const original = reader.number(key, 0) || maxPositionEmbeddings;
  const betaFast = orDefault(reader.number("plm.rope.scaling.yarn_beta_fast", -1), 32);
  const betaSlow = orDefault(reader.number("plm.rope.scaling.yarn_beta_slow", -1), 1);
  const extrapolation = orDefault(reader.number("plm.rope.scaling.yarn_ext_factor", -1), 1);
  reader.expect("plm.rope.scaling.yarn_attn_factor", [1]);
  if (type !== undefined) reader.expectValue(typeKey, type, ["none", "linear", "yarn"]);
  reader.checkPositive("plm.rope.scaling.factor", factor);
  reader.checkPositive(key, original);
  const isYarn = type === "yarn";
  const isStretched = type !== "none" && factor !== 1;
  const isCorrected = isYarn && factor > 1 && extrapolation > 0;
  const attentionFactor = stored * (isCorrected ? 0.1 * Math.log(factor) + 1 : 1);
  if (!isStretched && attentionFactor === 1) return undefined;
  return {
    ropeType: isYarn ? "yarn" : "linear",
    factor: isStretched ? factor : 1,
    attentionFactor,
    originalMaxPositionEmbeddings: original,
    betaFast,
    betaSlow,
    extrapolationFactor: extrapolation,
  };
}

/** llama.cpp's negative numbers mean "not set". */
function orDefault(value: number, otherwise: number): number {
  return value < 0 ? otherwise : value;
}

/**
 * Angle by which dims 2i and 2i + 1 turn from one position to the next, for i = 0, 1, ...:
 * theta^(-2i / dims) without scaling, divided by the factor if scaling is linear; under YaRN a
 * mean of the two, whose weights shift from one to the other between betaFast and betaSlow turns.
 */
export function rotaryFrequencies(
  dims: number,
  theta: number,
  scaling: RopeScaling | undefined,
): Float64Array {
  const kept = Float64Array.from({ length: dims / 2 }, (_, i) => theta ** ((-2 * i) / dims));
  if (scaling === undefined) return kept;
  const { ropeType, factor, extrapolationFactor } = scaling;
  if (ropeType === "linear") return kept.map((frequency) => frequency / factor);
  const { betaFast, betaSlow, originalMaxPositionEmbeddings: positions } = scaling;
  /** The pair of dims that makes this many turns over training's positions. */
  const pairOf = (turns: number): number =>
    (dims * Math.log(positions / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const low = Math.max(0, Math.floor(pairOf(betaFast)));
  const high = Math.min(dims - 1, Math.ceil(pairOf(betaSlow)));
  return kept.map((frequency, i) => {
    const ramp = Math.min(1, Math.max(0, (i - low) / Math.max(0.001, high - low)));
    const share = (1 - ramp) * extrapolationFactor;
    return frequency * share + (frequency / factor) * (1 - share);
  });
}
