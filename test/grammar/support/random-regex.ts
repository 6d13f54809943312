/** Random regular expressions, and random texts of the characters that they are about. */

const ATOMS = [
  ...["a", "b", "c", "ab", ".", "é", "😀", "\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\n"],
  ...["[ab]", "[^a]", "[a-c1]", "[\\d_]", "[^\\w]", "[\\s\\S]", "[^]", "[]", "[-a]", "[😀-😂é]"],
  ...[
    "\\x41",
    "\\u{1F600}",
    "\\ud83d\\ude01",
    "\\u0041",
    "\\.",
    "\\/",
    "\\t",
    "\\cJ",
    "\\0",
    "[\\b]",
  ],
  ...["\\p{Lu}", "\\P{L}", "[\\p{Nd}a]", "[^\\P{Lu}b]", "\\ud83d", "[\\]\\-]", "^", "$"],
];

const QUANTIFIERS = ["", "", "", "*", "+", "?", "*?", "{2}", "{1,2}", "{0}", "{2,}", "{0,3}?"];

const CHARACTERS = [
  "a",
  "b",
  "c",
  "A",
  "1",
  "_",
  " ",
  "\n",
  "é",
  "😀",
  "😁",
  "\t",
  "\0",
  "-",
  "\b",
];

const pick = <T>(items: readonly T[], random: () => number): T =>
  items[Math.floor(random() * items.length)];

/** A pattern that is valid with the flag `u`. */
export function randomPattern(random: () => number, depth = 3): string {
  const parts = Array.from({ length: Math.floor(random() * 4) }, () => {
    if (depth > 0 && random() < 0.35) {
      const open = pick(["(", "(?:"], random);
      return `${open}${randomPattern(random, depth - 1)})${pick(QUANTIFIERS, random)}`;
    }
    const atom = pick(ATOMS, random);
    // Several characters or an assertion are not one thing to repeat.
    const quantifier = /^[$^]$/.test(atom) ? "" : pick(QUANTIFIERS, random);
    return atom + quantifier;
  });
  const pattern = parts.join("");
  return random() < 0.25 && depth > 0 ? `${pattern}|${randomPattern(random, depth - 1)}` : pattern;
}

export function randomText(random: () => number, most = 7): string {
  const length = Math.floor(random() * (most + 1));
  return Array.from({ length }, () => pick(CHARACTERS, random)).join("");
}
