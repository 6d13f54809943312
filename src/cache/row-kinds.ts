/** How the row of a token was computed, one byte for each token of a sequence. */

/** Rows of equal histories, in tokens and kinds, are equal bit for bit. */
export const RowKind = {
  prefillAbsorbed: 0,
  prefillExpanded: 1,
  decodeAbsorbed: 2,
  decodeExpanded: 3,
  /** Read from a saved session, which does not say how. */
  restored: 4,
} as const;

/** Whether a row was computed in prefill. */
export function isPrefilled(kind: number): boolean {
  return kind === RowKind.prefillAbsorbed || kind === RowKind.prefillExpanded;
}
