/** Unicode normal form C, in about linear time for any text. */

/** Characters below U+0300 are in normal form C already, alone and together. */
const NEEDS_NORMALIZING = /[\u0300-\uffff]/;
const MARK_RUNS = /\p{M}{2,}/gu;

/** UTF-16 units of a run of marks from which it is sorted before it is normalised. */
const LONG_RUN = 256;

/** Whether canonical ordering puts the second of two decomposed marks before the first. */
function swaps(first: string, second: string): boolean {
  return first !== second && (first + second).normalize("NFD") !== first + second;
}

/** Whether a decomposed mark never moves: its canonical combining class is 0. */
function isStarter(mark: string): boolean {
  // U+0334 and U+0345 are of the lowest and the highest class.
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
 * `text.normalize("NFC")`. Runtimes sort combining marks by insertion, which for a long run of them
 * takes time with its square; such runs are sorted here first, which does not change the outcome.
 */
export function normalizeNfc(text: string): string {
  if (!NEEDS_NORMALIZING.test(text)) return text;
  return text
    .replace(MARK_RUNS, (run) => (run.length < LONG_RUN ? run : sortMarks(run)))
    .normalize("NFC");
}
