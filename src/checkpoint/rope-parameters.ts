/** The rotary embeddings of a config.json, as GGUF's metadata has them. */
import { describeValue } from "../describe.js";
import type { MetadataEntry } from "../format/writer.js";
import { MetadataReader } from "../model/metadata-reader.js";
import type { Problems } from "../model/problems.js";
import { isObject, valuesOf } from "./files.js";

/** The base of the frequencies, and how they are stretched. */
export interface RopeParameters {
  readonly theta: number;
  /** Metadata of a scaling; none without one. */
  readonly entries: readonly MetadataEntry[];
}

const THETA = "rope_theta";

/**
 * Reads `rope_theta` and `rope_scaling`, or `rope_parameters`, which newer files have instead of
 * both. Reports every scaling but linear and YaRN, and every key of them that the engine lacks.
 */
export function readRopeParameters(
  values: ReadonlyMap<string, unknown>,
  problems: Problems,
): RopeParameters {
  const name = values.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  const inner = values.get(name) ?? {};
  if (!isObject(inner)) {
    problems.invalid(`${name}: expected an object or null, got ${describeValue(inner)}`);
    return { theta: Number.NaN, entries: [] };
  }
  const prefixed = Array.from(
    valuesOf(inner),
    ([key, value]) => [`${name}.${key}`, value] as const,
  );
  const reader = new MetadataReader(new Map([...values, ...prefixed]), problems);
  const innerTheta = `${name}.${THETA}`;
  const hasInner = Object.hasOwn(inner, THETA);
  const theta = reader.positive(hasInner ? innerTheta : THETA);
  if (hasInner && values.has(THETA)) reader.expect(THETA, [theta]);
  const entries = readScaling(reader, `${name}.`, inner);
  reader.expectNoOther(`${name}.`);
  return { theta, entries };
}

function readScaling(
  reader: MetadataReader,
  prefix: string,
  inner: Record<string, unknown>,
): MetadataEntry[] {
  const typeKey = `${prefix}${"rope_type" in inner ? "rope_type" : "type"}`;
  // Some files have both names.
  reader.value(`${prefix}type`);
  const type = reader.text(typeKey, "default");
  if (type === undefined || type === "default") return [];
  reader.expectValue(typeKey, type, ["default", "linear", "yarn"]);
  const factor = reader.positive(`${prefix}factor`);
  const entries: MetadataEntry[] = [
    { key: "plm.rope.scaling.type", type: "string", value: type },
    { key: "plm.rope.scaling.factor", type: "float32", value: factor },
  ];
  if (type !== "yarn") return entries;
  const given = (key: string): boolean => Object.hasOwn(inner, key) && inner[key] !== null;
  const addFloat = (name: string, key: string, by = 1): void => {
    if (!given(key)) return;
    const value = reader.positive(`${prefix}${key}`) / by;
    entries.push({ key: `plm.rope.scaling.${name}`, type: "float32", value });
  };
  const original = "original_max_position_embeddings";
  if (given(original)) {
    const value = reader.dim(`${prefix}${original}`);
    entries.push({ key: "plm.rope.scaling.original_context_length", type: "uint32", value });
  }
  addFloat("yarn_beta_fast", "beta_fast");
  addFloat("yarn_beta_slow", "beta_slow");
  // GGUF's factor multiplies YaRN's own.
  addFloat("attn_factor", "attention_factor", factor > 1 ? 0.1 * Math.log(factor) + 1 : 1);
  reader.expect(`${prefix}truncate`, [true]);
  return entries;
}
