/** The rotary embedding's table: PLM rotates adjacent pairs (x[2i], x[2i + 1]) of the rope dims. */
import type { PlmConfig } from "./config.js";
import { rotaryFrequencies } from "./rope-scaling.js";

/**
 * Writes f32[contextLength, qkRopeHeadDim]: for each position the cosine and sine of
 * position * frequency of each pair, times the attention factor of the scaling, side by side.
 */
export function fillRopeTable(
  memory: WebAssembly.Memory,
  ptr: number,
  { qkRopeHeadDim, ropeTheta, ropeScaling }: PlmConfig,
  contextLength: number,
): void {
  const table = new Float32Array(memory.buffer, ptr, contextLength * qkRopeHeadDim);
  const frequencies = rotaryFrequencies(qkRopeHeadDim, ropeTheta, ropeScaling);
  const length = ropeScaling?.attentionFactor ?? 1;
  for (const [i, frequency] of frequencies.entries()) {
    for (let position = 0; position < contextLength; position++) {
      const angle = position * frequency;
      table[position * qkRopeHeadDim + 2 * i] = length * Math.cos(angle);
      table[position * qkRopeHeadDim + 2 * i + 1] = length * Math.sin(angle);
    }
  }
}
