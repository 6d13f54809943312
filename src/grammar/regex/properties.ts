/** The code points of `\p{...}`, which the runtime's own RegExp knows. */
import { type CodePoints, codePoints, type Range } from "../characters/code-points.js";

/** How many code points are looked at in one text. */
const CHUNK = 0x1000;

const cache = new Map<string, CodePoints>();

/** The code points of a property such as "L" or "Script=Greek"; undefined if there is none. */
export function propertyOf(name: string): CodePoints | undefined {
  if (!/^\w+(?:=\w+)?$/.test(name)) return undefined;
  const known = cache.get(name);
  if (known !== undefined) return known;
  let runs: RegExp;
  try {
    runs = new RegExp(`\\p{${name}}+`, "gu");
  } catch {
    return undefined;
  }
  const set = codePoints(rangesOf(runs));
  cache.set(name, set);
  return set;
}

function* rangesOf(runs: RegExp): Generator<Range> {
  for (let start = 0; start <= 0x10ffff; start += CHUNK) {
    // Two surrogates in order would be read as a pair.
    if (start >= 0xd800 && start < 0xe000) continue;
    const length = Math.min(CHUNK, start < 0xd800 ? 0xd800 - start : CHUNK);
    const units = start > 0xffff ? 2 : 1;
    const chunk = Array.from({ length }, (_, i) => String.fromCodePoint(start + i)).join("");
    for (const { index, 0: run } of chunk.matchAll(runs)) {
      yield { from: start + index / units, to: start + (index + run.length) / units - 1 };
    }
  }
}
