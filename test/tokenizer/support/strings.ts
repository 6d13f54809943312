/** Random texts rich in cases that tokenizers get wrong. */

/** One character or a few: spaces, breaks, apostrophes, marks, astral planes, odd cases. */
const PARTS: readonly string[] = [
  ..." \u00a0\u0085\ufeff\u3000\u2028\t\v".split(""),
  ..."\n\r''’-_.!<|>".split(""),
  ..."aAbsStTmMdDlLrReEvVzéßİıſ\u212a".split(""),
  ..."0123½²٣四Ⅷ".split(""),
  ..."你好世界のテ한ा्".split(""),
  "\u0301",
  "\u0323",
  "\u200d",
  "\ud800",
  "\udc00",
  "\udfff",
  "\ufffd",
  ..."😁🚀🦙𝒳𐐷𞤀🄰𠀀\u{1d7d8}\u{10ffff}",
  "  ",
  "\r\n",
  " \n ",
  "'s",
  "'RE",
  "'ve",
  "'Ll",
  "'ſ",
  "<|im_end|>",
  "e\u0301",
  "hello world",
];

/** A text of `n` parts. Three parts in ten repeat the one before, so that runs arise. */
export function randomText(random: () => number, n: number): string {
  let text = "";
  let part = "";
  for (let i = 0; i < n; i++) {
    if (random() < 0.7) part = PARTS[Math.floor(random() * PARTS.length)];
    text += part;
  }
  return text;
}

/** `text` with U+FFFD for each lone surrogate, as in TextEncoder. */
export function wellFormed(text: string): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(text));
}
