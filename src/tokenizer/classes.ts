/**
 * Character classes of code points, as the Qwen2 split pattern distinguishes them. They come from
 * the runtime's Unicode tables, a page of 256 code points at a time, at first use.
 */

/** Neither letter, number nor white space. */
export const OTHER = 1;
/** `\p{L}` */
export const LETTER = 2;
/** `\p{N}` */
export const NUMBER = 3;
/** `\p{White_Space}` except line breaks. JavaScript's own `\s` differs in U+0085 and U+FEFF. */
export const SPACE = 4;
/** `[\r\n]` */
export const NEWLINE = 5;

/** Classes of all code points; 0 until the page is filled. */
const table: Uint8Array = new Uint8Array(0x110000);

const LETTERS = /\p{L}/u;
const NUMBERS = /\p{N}/u;
const SPACES = /\p{White_Space}/u;

function classify(char: string): number {
  if (char === "\r" || char === "\n") return NEWLINE;
  if (LETTERS.test(char)) return LETTER;
  if (NUMBERS.test(char)) return NUMBER;
  return SPACES.test(char) ? SPACE : OTHER;
}

function fillPage(codePoint: number): number {
  const start = codePoint & ~0xff;
  for (let i = start; i < start + 256; i++) table[i] = classify(String.fromCodePoint(i));
  return table[codePoint];
}

/** Class of a code point in 0..0x10FFFF. */
export function classOf(codePoint: number): number {
  return table[codePoint] || fillPage(codePoint);
}

/** Classes of the 128 ASCII code points. */
export const asciiClasses: Uint8Array = Uint8Array.from({ length: 128 }, (_, i) => classOf(i));
