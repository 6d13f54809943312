/** Sets of Unicode scalar values: all code points but the surrogates, which are never text. */

/** Code points `from` to `to`, both included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** A set: sorted ranges that neither overlap nor touch. */
export type CodePoints = readonly Range[];

export const MOST_CODE_POINT = 0x10ffff;

/** Every scalar value. The surrogates between the two ranges are in no set. */
export const ANY: CodePoints = [
  { from: 0, to: 0xd7ff },
  { from: 0xe000, to: MOST_CODE_POINT },
];

/** The set of some ranges, in any order and overlapping as they may; surrogates are left out. */
export function codePoints(ranges: Iterable<Range>): CodePoints {
  return intersection(merged(ranges), ANY);
}

/** Sorted ranges that neither overlap nor touch. */
function merged(ranges: Iterable<Range>): CodePoints {
  const sorted = [...ranges].sort((a, b) => a.from - b.from);
  const result: { from: number; to: number }[] = [];
  for (const { from, to } of sorted) {
    const last = result.at(-1);
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to);
    else result.push({ from, to });
  }
  return result;
}

/** The set of one code point. */
export const only = (code: number): CodePoints => codePoints([{ from: code, to: code }]);

/** The set of the characters of a text; two with "-" between them do not make a range. */
export const charactersOf = (text: string): CodePoints =>
  codePoints(
    Array.from(text, (char) => ({ from: char.codePointAt(0)!, to: char.codePointAt(0)! })),
  );

export const union = (...sets: readonly CodePoints[]): CodePoints => codePoints(sets.flat());

/** The scalar values that are not in the set. */
export function complement(set: CodePoints): CodePoints {
  const gaps: Range[] = [];
  let next = 0;
  for (const { from, to } of set) {
    if (from > next) gaps.push({ from: next, to: from - 1 });
    next = to + 1;
  }
  if (next <= MOST_CODE_POINT) gaps.push({ from: next, to: MOST_CODE_POINT });
  return intersection(gaps, ANY);
}

export function intersection(a: CodePoints, b: CodePoints): CodePoints {
  const result: Range[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const from = Math.max(a[i].from, b[j].from);
    const to = Math.min(a[i].to, b[j].to);
    if (from <= to) result.push({ from, to });
    if (a[i].to < b[j].to) i++;
    else j++;
  }
  return result;
}
