/** A model's fingerprint: saved sessions continue only with the model that they came from. */
import { crc32 } from "../format/crc32.js";
import { requireGlobal } from "../globals.js";
import { isRead } from "../kernels/packed.js";
import type { UsableReading } from "../kernels/probe.js";
import type { PlmConfig } from "./config.js";
import { eachWeight, type PlmWeights, type Weight, weightBytes } from "./weights.js";

/** Bytes of a weight in memory. */
export type Sample = readonly Uint8Array[];

/** The sample of each weight: runs of bytes, evenly spaced from its first to its last. */
const RUNS = 32;
const RUN_BYTES = 64;

/**
 * 16 hexadecimal digits: a hash of the config, of the weights' names, types and shapes, and of a
 * sample of each weight.
 */
export function fingerprintOf(
  config: PlmConfig,
  weights: PlmWeights,
  sampleOf: (weight: Weight) => Sample,
): string {
  const all = [...eachWeight(weights)];
  const described = all.map(({ type, layout, rows, cols, tensors }) => {
    const names = tensors.map(({ name }) => name);
    return [names, type, layout, rows, cols];
  });
  const text = JSON.stringify([Object.entries(config).sort(), described], roundNumber);
  const pieces: Uint8Array[] = [new (requireGlobal("TextEncoder"))().encode(text)];
  for (const weight of all) pieces.push(...sampleOf(weight));
  const crc = pieces.reduce((before, piece) => crc32(piece, before), 0);
  return hexadecimal(crc) + hexadecimal(pieces.reduce(fnv1a, 0x811c9dc5));
}

/** Math.log and the like may differ in the last bit from one runtime to another. */
function roundNumber(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(12)) : value;
}

/**
 * A sample of a weight in memory, as kernels pack it whose dot reads u8, so that it is the same in
 * every runtime.
 */
export function sampleWeight(
  weight: Weight,
  memory: WebAssembly.Memory,
  reading: UsableReading,
): Sample {
  const bytes = new Uint8Array(memory.buffer, weight.ptr, weightBytes(weight));
  const sample = (start: number, end: number): Uint8Array => {
    const run = bytes.slice(start, end);
    if (reading === "u8" || weight.layout !== "panels") return run;
    return run.map((byte, i) => (isRead(weight.type, start + i) ? byte ^ 0x80 : byte));
  };
  if (bytes.length <= RUNS * RUN_BYTES) return [sample(0, bytes.length)];
  return Array.from({ length: RUNS }, (_, i) => {
    const start = Math.floor((i * (bytes.length - RUN_BYTES)) / (RUNS - 1));
    return sample(start, start + RUN_BYTES);
  });
}

/** FNV-1a, 32 bits, continued from the hash `before`. */
function fnv1a(before: number, bytes: Uint8Array): number {
  let hash = before;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash;
}

function hexadecimal(hash: number): string {
  return (hash >>> 0).toString(16).padStart(8, "0");
}
