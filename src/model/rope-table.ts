/** The rotary embedding's table: PLM rotates adjacent pairs (x[2i], x[2i + 1]) of the rope dims. */
import type { PlmConfig } from "./config.js";

/**
 * Writes f32[contextLength, qkRopeHeadDim]: for each position the cosine and sine of
 * position * ropeTheta^(-2i / qkRopeHeadDim), i = 0, 1, ..., side by side.
 */
export function fillRopeTable(
  memory: WebAssembly.Memory,
  ptr: number,
  { qkRopeHeadDim, ropeTheta }: PlmConfig,
  contextLength: number,
): void {
  const table = new Float32Array(memory.buffer, ptr, contextLength * qkRopeHeadDim);
  for (let i = 0; i < qkRopeHeadDim; i += 2) {
    const frequency = ropeTheta ** (-i / qkRopeHeadDim);
    for (let position = 0; position < contextLength; position++) {
      const angle = position * frequency;
      table[position * qkRopeHeadDim + i] = Math.cos(angle);
      table[position * qkRopeHeadDim + i + 1] = Math.sin(angle);
    }
  }
}
