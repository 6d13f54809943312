/** Items and slices of sequences and mappings. */
import { charactersOf } from "./characters.js";
import { fail } from "./failure.js";
import type { Limits } from "./limits.js";
import { Dict, isList, Range, Tuple, typeOf, Undefined, type Value } from "./values.js";

/** `object[index]`; undefined if there is none. Fails if the object is Undefined. */
export function itemOf(object: Value, index: Value, limits: Limits): Value | undefined {
  if (object instanceof Undefined) return fail(object.reason);
  if (object instanceof Dict) return isHashable(index) ? object.get(index) : undefined;
  if (typeof index !== "bigint" && typeof index !== "boolean") return undefined;
  if (object instanceof Range) return object.at(Number(index));
  return indexable(object, limits)?.at(Number(index));
}

const isHashable = (value: Value): boolean => !isList(value) && !(value instanceof Dict);

function indexable(object: Value, limits: Limits): readonly Value[] | undefined {
  if (isList(object)) return object;
  if (object instanceof Tuple) return object.items;
  limits.read(object);
  if (object instanceof Range) return object.items;
  return typeof object === "string" ? charactersOf(object) : undefined;
}

/** The bounds of a slice; undefined for one that is left out. */
export interface Bounds {
  readonly start: Value | undefined;
  readonly stop: Value | undefined;
  readonly step: Value | undefined;
}

/** `object[start:stop:step]`. */
export function sliceOf(object: Value, { start, stop, step }: Bounds, limits: Limits): Value {
  if (object instanceof Undefined) return fail(object.reason);
  const items = indexable(object, limits);
  if (items === undefined) return fail(`a ${typeOf(object)} cannot be sliced`);
  const by = bound(step) ?? 1;
  if (by === 0) fail("slice: expected a step other than 0");
  limits.step(items.length);
  const { length } = items;
  const [lowest, highest] = by > 0 ? [0, length] : [-1, length - 1];
  const clamp = (at: number): number =>
    Math.min(highest, Math.max(lowest, at < 0 ? at + length : at));
  const from = bound(start);
  const to = bound(stop);
  const first = from === undefined ? (by > 0 ? 0 : highest) : clamp(from);
  const end = to === undefined ? (by > 0 ? highest : -1) : clamp(to);
  if (object instanceof Range) return rangeSlice(object, first, end, by);
  const taken: Value[] = [];
  for (let at = first; by > 0 ? at < end : at > end; at += by) taken.push(items[at]);
  if (typeof object === "string") return taken.join("");
  return object instanceof Tuple ? new Tuple(taken) : taken;
}

function rangeSlice({ start, step }: Range, first: number, end: number, by: number): Range {
  if (!Number.isSafeInteger(by * step)) fail(`slice: expected a step of a range, got ${by}`);
  return new Range(start + first * step, start + end * step, by * step);
}

function bound(value: Value | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "bigint" || typeof value === "boolean") return Number(value);
  return fail(
    value instanceof Undefined ? value.reason : `slice: expected integers, got ${typeOf(value)}`,
  );
}
