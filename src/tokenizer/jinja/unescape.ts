/** The escapes of Python's string literals. */

const SIMPLE: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\n": "",
};

const ESCAPE = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|(.))/gs;

/** The text between a literal's quotes. Unknown escapes stay as they are. */
export function unescapeLiteral(literal: string): string {
  return literal.replace(ESCAPE, (whole, x, u, wide, octal, single) => {
    const hex = x ?? u ?? wide;
    if (hex !== undefined) {
      const point = Number.parseInt(hex, 16);
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    }
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
    return SIMPLE[single] ?? whole;
  });
}
