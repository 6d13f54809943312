/** Turns the text of options into values. */
import { PlmError, quote } from "../errors.js";

function invalid(flag: string, expected: string, text: string): PlmError {
  return new PlmError("INVALID_ARGUMENT", `--${flag}: expected ${expected}, got ${quote(text)}`);
}

/** A parser of any number, including Infinity; the caller checks the range. */
export function number(flag: string): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (Number.isNaN(value)) throw invalid(flag, "a number", text);
    return value;
  };
}

/** A parser of integers from `low` on. */
export function integer(flag: string, low: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (Number.isSafeInteger(value) && value >= low) return value;
    throw invalid(flag, `an integer >= ${low}`, text);
  };
}

/** A parser of integers from `low` on, with commas between them. */
export function integers(flag: string, low: number): (text: string) => number[] {
  return (text) => {
    const values = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
    if (values.every((value) => Number.isSafeInteger(value) && value >= low)) return values;
    throw invalid(flag, `integers >= ${low} such as 1,8,32`, text);
  };
}

/** A parser of token ids such as 1,2,3; spaces around the commas are ignored. */
export function ids(flag: string): (text: string) => number[] {
  return (text) => {
    const parts = text.split(",").map((part) => part.trim());
    if (parts.every((part) => /^\d+$/.test(part))) return parts.map(Number);
    throw invalid(flag, "token ids such as 1,2,3", text);
  };
}

/** A parser of a token id and its bias, for a flag that may be repeated. */
export function bias(flag: string): (text: string, sofar?: BiasMap) => BiasMap {
  return (text, sofar = new Map()) => {
    const [, id, value] = /^\s*(\d+)\s*=\s*(\S+)\s*$/.exec(text) ?? [];
    const number = Number(value?.replace(/^([+-]?)inf$/i, "$1Infinity"));
    if (id === undefined || Number.isNaN(number)) {
      throw invalid(flag, "a token id and a number such as 42=-1.5", text);
    }
    return sofar.set(Number(id), number);
  };
}

/** A parser of a JSON object. */
export function jsonObject(flag: string): (text: string) => Record<string, unknown> {
  return (text) => {
    const value = parseJson(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
    throw invalid(flag, 'a JSON object such as {"name": true}', text);
  };
}

/** Undefined for what is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Token ids and the biases of their logits. */
export type BiasMap = Map<number, number>;

/** A parser of texts, for a flag that may be repeated. */
export function texts(text: string, sofar: string[] = []): string[] {
  return [...sofar, text];
}

/** A parser of words with commas between them. */
export function words(text: string): string[] {
  return text.split(",").map((word) => word.trim());
}
