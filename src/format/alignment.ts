/** The alignment of tensor data in a file: the key general.alignment. */
import type { GgufValue } from "./metadata.js";

/** In bytes, if the file does not say. */
const DEFAULT_ALIGNMENT = 32;

/**
 * The alignment in bytes that a value of general.alignment means; undefined if it is invalid. The
 * format asks for a multiple of 8; llama.cpp takes any power of two and nothing else.
 */
export function alignmentOf(value: GgufValue | undefined): number | undefined {
  if (value === undefined) return DEFAULT_ALIGNMENT;
  const isPower = typeof value === "number" && value >= 1 && Number.isInteger(Math.log2(value));
  return isPower ? value : undefined;
}
