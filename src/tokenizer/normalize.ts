/** Unicode normal form C, in about linear time for any text. */

/** Characters below U+0300 are in normal form C already, alone and together. */
const NEEDS_NORMALIZING = /[\u0300-\uffff]/;
const MARK = /\p{M}/uy;

/** The start of a run of marks that is long enough to be sorted before it is normalised. */
const LONG_RUN_START = /\p{M}{128}/gu;

/** Whether canonical ordering puts the second of two decomposed marks before the first. */
function swaps(first: string, second: string): boolean {
  return first !== second && (first + second).normalize("NFD") !== first + second;
}

/** Whether a decomposed mark never moves: its canonical combining class is 0. */
function isStarter(mark: string): boolean {
  // U+0334 and U+0345 have the lowest and the highest class.
  return !swaps("\u0345", mark) && !swaps(mark, "\u0334");
}

/** Order of the combining classes of marks that are not starters, by mark. */
function classOrder(marks: ReadonlySet<string>): Map<string, number> {
  const compare = (a: string, b: string) => Number(swaps(a, b)) - Number(swaps(b, a));
  const sorted = [...marks].filter((mark) => !isStarter(mark)).sort(compare);
  const order = new Map<string, number>();
  let index = 1;
  for (let i = 0; i < sorted.length; i++) {
    if (i > 0 && compare(sorted[i - 1], sorted[i]) !== 0) index++;
    order.set(sorted[i], index);
  }
  return order;
}

/** Puts a run of marks in canonical order. */
function sortMarks(run: string): string {
  const marks = Array.from(run, (mark) => [...mark.normalize("NFD")]).flat();
  const order = classOrder(new Set(marks));
  const sorted: string[] = [];
  let movable: string[] = [];
  const flush = (): void => {
    movable.sort((a, b) => order.get(a)! - order.get(b)!);
    for (const mark of movable) sorted.push(mark);
    movable = [];
  };
  for (const mark of marks) {
    if (order.has(mark)) movable.push(mark);
    else {
      flush();
      sorted.push(mark);
    }
  }
  flush();
  return sorted.join("");
}

/**
 * `text.normalize("NFC")`. Runtimes sort combining marks by insertion, which is quadratic in the
 * length of a run; long runs are sorted here first, which does not change the result.
 */
export function normalizeNfc(text: string): string {
  if (!NEEDS_NORMALIZING.test(text)) return text;
  return sortLongRuns(text).normalize("NFC");
}

/** The text with its long runs of marks sorted. */
function sortLongRuns(text: string): string {
  const parts: string[] = [];
  let from = 0;
  LONG_RUN_START.lastIndex = 0;
  for (let found = LONG_RUN_START.exec(text); found; found = LONG_RUN_START.exec(text)) {
    const end = endOfMarks(text, LONG_RUN_START.lastIndex);
    parts.push(text.slice(from, found.index), sortMarks(text.slice(found.index, end)));
    LONG_RUN_START.lastIndex = from = end;
  }
  return from === 0 ? text : parts.join("") + text.slice(from);
}

/** The end of the marks from `start` on. One at a time: a repetition would overflow a stack. */
function endOfMarks(text: string, start: number): number {
  let end = start;
  for (MARK.lastIndex = start; MARK.test(text); ) end = MARK.lastIndex;
  return end;
}
