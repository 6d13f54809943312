/** Numbers as Python's `format` and `%` write them. */
import { floatText } from "./print.js";

/** `format(Math.abs(value), ".{precision}f")`: rounds to even, exactly. */
export function fixed(value: number, precision: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(size)) return floatText(size);
  if (size >= 1e21) return `${BigInt(size)}${precision > 0 ? `.${"0".repeat(precision)}` : ""}`;
  const digits = Math.min(precision, 100);
  const text = size.toFixed(digits);
  const isTie = digits < 75 && /^50*$/.test(size.toFixed(digits + 25).slice(-25));
  const isOdd = "13579".includes(text.at(-1)!);
  // A tie of a binary number is exact. JavaScript rounds it up, Python to even.
  const rounded = isTie && isOdd ? lower(text) : text;
  return rounded + "0".repeat(precision - digits);
}

/** A decimal text with its odd last digit lowered by one. */
const lower = (text: string): string => text.slice(0, -1) + String(Number(text.at(-1)) - 1);

/** `format(Math.abs(value), ".{precision}e")`. */
export function scientific(value: number, precision: number): string {
  if (!Number.isFinite(value)) return floatText(Math.abs(value));
  const [digits, exponent] = Math.abs(value).toExponential(Math.min(precision, 100)).split("e");
  const power = Number(exponent);
  return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** `format(Math.abs(value), ".{precision}g")`, with its trailing zeros if `keepsZeros`. */
export function general(value: number, precision: number, keepsZeros = false): string {
  if (!Number.isFinite(value)) return floatText(Math.abs(value));
  const digits = Math.max(1, Math.min(precision, 100));
  const power = value === 0 ? 0 : Number(scientific(value, digits - 1).split("e")[1]);
  const isScientific = power < -4 || power >= digits;
  const text = isScientific ? scientific(value, digits - 1) : fixed(value, digits - 1 - power);
  if (keepsZeros || !text.includes(".")) return text;
  return text.replace(/\.?0+(?=e|$)/, "");
}

/** Digits of the whole part in groups of `size`. */
export function grouped(text: string, separator: string, size = 3): string {
  const [, whole, rest] = /^([\da-fA-F]*)(.*)$/.exec(text)!;
  const groups: string[] = [];
  for (let end = whole.length; end > 0; end -= size) {
    groups.unshift(whole.slice(Math.max(0, end - size), end));
  }
  return groups.join(separator) + rest;
}
