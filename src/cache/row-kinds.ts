/**
 * The kind of a row is how it was computed, one byte: 0 prefill absorbed, 1 prefill expanded,
 * 2 decode absorbed, 3 decode expanded, 4 restored from a file, which does not say how. Rows of the
 * same tokens with the same kinds are equal bit for bit.
 */

/** The kind of rows that were restored from a file. */
export const RESTORED = 4;

const DECODED = 2;
const EXPANDED = 1;

/** The kind of rows that are computed in a phase with a form of attention. */
export function rowKind(phase: "prefill" | "decode", form: "absorbed" | "expanded"): number {
  return (phase === "decode" ? DECODED : 0) + (form === "expanded" ? EXPANDED : 0);
}

/** The phase of a kind; not of restored rows. */
export function phaseOf(kind: number): "prefill" | "decode" {
  return isPrefilled(kind) ? "prefill" : "decode";
}

/** The form of attention of a kind; not of restored rows. */
export function formOf(kind: number): "absorbed" | "expanded" {
  return (kind & EXPANDED) === EXPANDED ? "expanded" : "absorbed";
}

/** Whether a row was computed in prefill. */
export function isPrefilled(kind: number): boolean {
  return kind < DECODED;
}
