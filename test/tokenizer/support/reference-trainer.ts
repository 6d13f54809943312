/** The plainest byte-pair training: every pair of every word is counted in every round. */
import { byteToChar } from "../../../src/tokenizer/bytes.js";

/** The Qwen2 pattern, written out where JavaScript's meaning differs. */
const WORD = new RegExp(
  "'(?:[sStTmMdD\\u017f]|[rR][eE]|[vV][eE]|[lL][lL])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}" +
    "| ?[^\\p{White_Space}\\p{L}\\p{N}]+[\\r\\n]*|\\p{White_Space}*[\\r\\n]+" +
    "|\\p{White_Space}+(?!\\P{White_Space})|\\p{White_Space}+",
  "gu",
);

/** The reference's result. */
export interface ReferenceResult {
  merges: string[];
  textTokens: number;
}

const bytesOf = (text: string): string[] =>
  Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte));

const spell = (bytes: string): string =>
  Array.from(bytes, (byte) => byteToChar(byte.charCodeAt(0))).join("");

/** The first pair in order, and its count. Tokens are strings of bytes. */
function bestPair(words: string[][]): [left: string, right: string, count: number] {
  const counts = new Map<string, [left: string, right: string, count: number]>();
  for (const word of words) {
    for (let i = 0; i + 1 < word.length; i++) {
      const key = JSON.stringify([word[i], word[i + 1]]);
      counts.set(key, [word[i], word[i + 1], (counts.get(key)?.[2] ?? 0) + 1]);
    }
  }
  const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b));
  const sorted = [...counts.values()].sort(
    (a, b) => b[2] - a[2] || compare(a[0], b[0]) || compare(a[1], b[1]),
  );
  return sorted[0] ?? ["", "", 0];
}

function mergePair(word: string[], left: string, right: string): string[] {
  const merged: string[] = [];
  for (let i = 0; i < word.length; i++) {
    const isPair = word[i] === left && word[i + 1] === right;
    merged.push(isPair ? left + right : word[i]);
    if (isPair) i++;
  }
  return merged;
}

/** At most `maxMerges` merges, each of a pair that comes `minFrequency` times. */
export function referenceTrainer(
  texts: readonly string[],
  maxMerges: number,
  minFrequency: number,
): ReferenceResult {
  let words = texts.flatMap((text) => (text.normalize("NFC").match(WORD) ?? []).map(bytesOf));
  const merges: string[] = [];
  while (merges.length < maxMerges) {
    const [left, right, count] = bestPair(words);
    if (count < minFrequency) break;
    merges.push(`${spell(left)} ${spell(right)}`);
    words = words.map((word) => mergePair(word, left, right));
  }
  return { merges, textTokens: words.reduce((n, word) => n + word.length, 0) };
}
