/** Jinja's filters of sequences and mappings. */
import { attributeOf, getItem } from "./access.js";
import { type Bound, toInteger, toStr } from "./arguments.js";
import { compare, order } from "./compare.js";
import { fail } from "./failure.js";
import type { Limits } from "./limits.js";
import { calculate } from "./operators.js";
import { toText } from "./print.js";
import type { Filter, RawFilter, Runtime } from "./runtime.js";
import {
  type Arguments,
  Dict,
  hashOf,
  isTrue,
  iterate,
  Lazy,
  sizeOf,
  Tuple,
  typeOf,
  Undefined,
  type Value,
} from "./values.js";

/** An item's value of an attribute such as "function.name" or 0; without one, the item itself. */
function getter(attribute: Value | undefined, limits: Limits, fallback?: Value) {
  if (attribute === undefined || attribute === null) return (item: Value): Value => item;
  const path =
    typeof attribute === "string"
      ? attribute.split(".").map((part) => (/^\d+$/.test(part) ? BigInt(part) : part))
      : [attribute];
  return (item: Value): Value => {
    let value = item;
    for (const part of path) {
      limits.step();
      value = getItem(value, part, limits);
      if (value instanceof Undefined && fallback !== undefined && fallback !== null) {
        value = fallback;
      }
    }
    return value;
  };
}

/** The key to compare items by: an attribute, in lower case unless case matters. */
function keyOf(attribute: Value | undefined, isCaseSensitive: Value | undefined, limits: Limits) {
  const get = getter(attribute, limits);
  const isSensitive = isCaseSensitive !== undefined && isTrue(isCaseSensitive);
  return (item: Value): Value => {
    const value = get(item);
    limits.read(value);
    return typeof value === "string" && !isSensitive ? value.toLowerCase() : value;
  };
}

function itemsOf(value: Value, limits: Limits): readonly Value[] {
  const items = iterate(value);
  limits.reserve(items.length, "elements");
  return items;
}

/** Items sorted by key; the sort is stable. */
function sortBy(
  items: readonly Value[],
  key: (item: Value) => Value,
  isReverse: Value | undefined,
  limits: Limits,
): Value[] {
  const sign = isReverse !== undefined && isTrue(isReverse) ? -1 : 1;
  const keyed = items.map((item) => ({ item, key: key(item) }));
  // An unordered value fails even if it is the only one.
  return keyed.sort((a, b) => sign * order(a.key, b.key, limits)).map(({ item }) => item);
}

function sort({ limits }: Runtime, value: Value, [reverse, isSensitive, attribute]: Bound): Value {
  const names = typeof attribute === "string" ? attribute.split(",") : [attribute];
  const keys = names.map((name) => keyOf(name, isSensitive, limits));
  const key = (item: Value): Value =>
    keys.length === 1 ? keys[0](item) : keys.map((get) => get(item));
  return sortBy(itemsOf(value, limits), key, reverse, limits);
}

function dictsort({ limits }: Runtime, value: Value, [isSensitive, by, reverse]: Bound): Value {
  if (!(value instanceof Dict)) return fail(`dictsort: expected a dict, got ${typeOf(value)}`);
  if (by !== undefined && by !== "key" && by !== "value") {
    return fail('dictsort: expected by "key" or "value"');
  }
  const items = value.entries().map((entry) => new Tuple(entry));
  return sortBy(items, keyOf(by === "value" ? 1n : 0n, isSensitive, limits), reverse, limits);
}

function unique({ limits }: Runtime, value: Value, [isSensitive, attribute]: Bound): Value {
  const key = keyOf(attribute, isSensitive, limits);
  const seen = new Set<unknown>();
  const isNew = (item: Value): boolean => {
    const { size } = seen;
    return seen.add(hashOf(key(item))).size > size;
  };
  return new Lazy(itemsOf(value, limits).filter(isNew));
}

function groupby(runtime: Runtime, value: Value, [attribute, fallback, sensitive]: Bound): Value {
  const { limits } = runtime;
  const get = getter(attribute, limits, fallback);
  const isSensitive = sensitive !== undefined && isTrue(sensitive);
  const key = (item: Value): Value => {
    const found = get(item);
    limits.read(found);
    return typeof found === "string" && !isSensitive ? found.toLowerCase() : found;
  };
  const groups: { key: Value; first: Value; items: Value[] }[] = [];
  for (const item of sortBy(itemsOf(value, limits), key, undefined, limits)) {
    const own = key(item);
    const last = groups.at(-1);
    if (last !== undefined && compare("==", last.key, own, limits)) last.items.push(item);
    else groups.push({ key: own, first: get(item), items: [item] });
  }
  return groups.map(({ first, items }) => new Tuple([first, items], ["grouper", "list"]));
}

/** The least or greatest item: `wanted` is the sign of its comparison with the best so far. */
const extreme =
  (wanted: number): Filter["run"] =>
  ({ limits }, value, [isSensitive, attribute]) => {
    const items = itemsOf(value, limits);
    if (items.length === 0) return new Undefined("No aggregated item, sequence was empty.");
    const key = keyOf(attribute, isSensitive, limits);
    return items.reduce((best, item) =>
      order(key(item), key(best), limits) * wanted > 0 ? item : best,
    );
  };

function join({ limits }: Runtime, value: Value, [separator, attribute]: Bound): Value {
  const get = getter(attribute, limits);
  const between = separator === undefined ? "" : toText(separator, limits);
  const texts = itemsOf(value, limits).map((item) => toText(get(item), limits));
  limits.reserve(
    texts.reduce((sum, text) => sum + text.length + between.length, 0),
    "characters",
  );
  return texts.join(between);
}

function sum({ limits }: Runtime, value: Value, [attribute, start = 0n]: Bound): Value {
  const get = getter(attribute, limits);
  return itemsOf(value, limits).reduce((total: Value, item) => {
    return calculate("+", total, get(item), limits);
  }, start);
}

function reverse({ limits }: Runtime, value: Value): Value {
  const reversed = [...itemsOf(value, limits)].reverse();
  return typeof value === "string" ? reversed.join("") : new Lazy(reversed);
}

/** Lists of `size` items; the last is filled up if there is a fill value. */
function batch({ limits }: Runtime, value: Value, [size, filler]: Bound): Value {
  const count = toInteger("batch", size!);
  if (count < 1) fail(`batch: expected a size >= 1, got ${count}`);
  limits.reserve(count, "elements");
  const items = itemsOf(value, limits);
  const batches: Value[] = [];
  for (let at = 0; at < items.length; at += count) {
    const part = items.slice(at, at + count);
    const missing = filler === undefined || filler === null ? 0 : count - part.length;
    batches.push([...part, ...new Array<Value>(missing).fill(filler!)]);
  }
  return new Lazy(batches);
}

/** `count` lists; the first ones are longer if the items do not divide evenly. */
function slice({ limits }: Runtime, value: Value, [count, filler]: Bound): Value {
  const items = itemsOf(value, limits);
  const slices = toInteger("slice", count!);
  if (slices < 1) fail(`slice: expected a count >= 1, got ${slices}`);
  limits.reserve(slices, "elements");
  const least = Math.floor(items.length / slices);
  const longer = items.length % slices;
  let at = 0;
  const parts = Array.from({ length: slices }, (_, i) => {
    const part = items.slice(at, at + least + (i < longer ? 1 : 0));
    at += part.length;
    return filler !== undefined && filler !== null && i >= longer ? [...part, filler] : part;
  });
  return new Lazy(parts);
}

function length(_: Runtime, value: Value): Value {
  const size = sizeOf(value);
  return size === undefined ? fail(`length: ${typeOf(value)} has none`) : BigInt(size);
}

function end(value: Value, isLast: boolean): Value {
  if (value instanceof Lazy && !isLast) {
    const next = value.elements.next();
    return next.done === true ? new Undefined("No first item, sequence was empty.") : next.value;
  }
  const item = iterate(value).at(isLast ? -1 : 0);
  return item === undefined ? new Undefined("No item, sequence was empty.") : item;
}

function items(_: Runtime, value: Value): Value {
  if (value instanceof Undefined) return new Lazy([]);
  if (!(value instanceof Dict)) return fail(`items: expected a dict, got ${typeOf(value)}`);
  return new Lazy(value.entries().map((entry) => new Tuple(entry)));
}

function applyDefault(_: Runtime, value: Value, [fallback = "", isAlso]: Bound): Value {
  const isFalse = isAlso !== undefined && isTrue(isAlso) && !isTrue(value);
  return value instanceof Undefined || isFalse ? fallback : value;
}

const filter = (parameters: string, run: Filter["run"]): Filter => ({ parameters, run });

const attr: Filter["run"] = ({ limits }, value, [name]) => {
  const attribute = attributeOf(value, toStr("attr", name!), limits);
  return attribute === undefined ? new Undefined(`there is no attribute ${name}`) : attribute;
};

export const SEQUENCE_FILTERS: ReadonlyMap<string, Filter> = new Map([
  ["attr", filter("name!", attr)],
  ["batch", filter("linecount! fill_with", batch)],
  ["count", filter("", length)],
  ["d", filter("default_value boolean", applyDefault)],
  ["default", filter("default_value boolean", applyDefault)],
  ["dictsort", filter("case_sensitive by reverse", dictsort)],
  ["first", filter("", (_, value) => end(value, false))],
  ["groupby", filter("attribute! default case_sensitive", groupby)],
  ["items", filter("", items)],
  ["join", filter("d attribute", join)],
  ["last", filter("", (_, value) => end(value, true))],
  ["length", filter("", length)],
  ["list", filter("", ({ limits }, value) => itemsOf(value, limits))],
  ["max", filter("case_sensitive attribute", extreme(1))],
  ["min", filter("case_sensitive attribute", extreme(-1))],
  ["reverse", filter("", reverse)],
  ["slice", filter("slices! fill_with", slice)],
  ["sort", filter("reverse case_sensitive attribute", sort)],
  ["sum", filter("attribute start", sum)],
  ["unique", filter("case_sensitive attribute", unique)],
]);

/** `map`: an attribute of each item, or a filter applied to it. */
const map: RawFilter = (runtime, value, args) => {
  const { limits } = runtime;
  const all = isTrue(value) ? itemsOf(value, limits) : [];
  const attribute = args.named.get("attribute");
  if (args.positional.length === 0 && attribute !== undefined) {
    return new Lazy(all.map(getter(attribute, limits, args.named.get("default"))));
  }
  const [name, rest] = named("map", args);
  return new Lazy(all.map((item) => runtime.filter(name, item, rest)));
};

/** The items that pass a test or, without one, are true; an attribute is tested if given. */
const choose =
  (name: string, isWanted: boolean, hasAttribute: boolean): RawFilter =>
  (runtime, value, args) => {
    const { limits } = runtime;
    const attribute = hasAttribute ? args.positional[0] : null;
    if (attribute === undefined) return fail(`${name}: expected an attribute`);
    const rest = args.positional.slice(hasAttribute ? 1 : 0);
    const get = getter(attribute, limits);
    const test = rest.length === 0 ? undefined : named(name, { ...args, positional: rest });
    const passes = (item: Value): boolean =>
      test === undefined ? isTrue(get(item)) : runtime.test(test[0], get(item), test[1]);
    const all = isTrue(value) ? itemsOf(value, limits) : [];
    return new Lazy(all.filter((item) => passes(item) === isWanted));
  };

/** The filter or test named by the first argument, and the arguments after it. */
function named(filterName: string, args: Arguments): [string, Arguments] {
  const [name, ...positional] = args.positional;
  if (typeof name !== "string") return fail(`${filterName}: expected the name of a filter or test`);
  return [name, { positional, named: args.named }];
}

export const CHOOSING_FILTERS: ReadonlyMap<string, RawFilter> = new Map([
  ["map", map],
  ["reject", choose("reject", false, false)],
  ["rejectattr", choose("rejectattr", false, true)],
  ["select", choose("select", true, false)],
  ["selectattr", choose("selectattr", true, true)],
]);
