/** Makes expressions of others. */
import { requireGlobal } from "../globals.js";
import type { Expression } from "./expression.js";

export const sequence = (...parts: readonly Expression[]): Expression => ({
  kind: "sequence",
  parts,
});

export const choice = (parts: readonly Expression[]): Expression =>
  parts.length === 1 ? parts[0] : { kind: "choice", parts };

export const repeat = (body: Expression, min: number, max: number): Expression => ({
  kind: "repeat",
  body,
  min,
  max,
});

export const optional = (body: Expression): Expression => repeat(body, 0, 1);

export const many = (body: Expression): Expression => repeat(body, 0, Number.POSITIVE_INFINITY);

export const NO_WAY: Expression = { kind: "choice", parts: [] };

export function bytesOf(text: string): Expression {
  return { kind: "bytes", bytes: new (requireGlobal("TextEncoder"))().encode(text) };
}
