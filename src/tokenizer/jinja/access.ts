/** `object.name` and `object[index]`, as Jinja's sandbox looks them up. */
import { bind, optional, toInteger } from "./arguments.js";
import { equals } from "./compare.js";
import { fail } from "./failure.js";
import { itemOf } from "./items.js";
import type { Limits } from "./limits.js";
import { stringMethod } from "./string-methods.js";
import {
  type Arguments,
  Callable,
  Dict,
  DictView,
  Fields,
  isList,
  Namespace,
  Tuple,
  typeOf,
  Undefined,
  type Value,
} from "./values.js";

/** Methods that change their object, which the sandbox of transformers does not allow. */
const CHANGING: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["list", new Set(["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"])],
  ["dict", new Set(["clear", "pop", "popitem", "setdefault", "update"])],
]);

/** `object.name`: an attribute, else an item, else Undefined. */
export function getAttribute(object: Value, name: string, limits: Limits): Value {
  const attribute = attributeOf(object, name, limits);
  if (attribute !== undefined) return attribute;
  const item = itemOf(object, name, limits);
  return item === undefined ? missing(object, name) : item;
}

/** `object[index]`: an item, else an attribute, else Undefined. */
export function getItem(object: Value, index: Value, limits: Limits): Value {
  const item = itemOf(object, index, limits);
  if (item !== undefined) return item;
  const attribute = typeof index === "string" ? attributeOf(object, index, limits) : undefined;
  return attribute === undefined ? missing(object, index) : attribute;
}

function missing(object: Value, index: Value): Undefined {
  const owner = object === null ? "None" : `${typeOf(object)} object`;
  const what = typeof index === "string" ? `attribute '${index}'` : `element ${String(index)}`;
  return new Undefined(`'${owner}' has no ${what}`);
}

/** An attribute of Python's object; undefined if it has none of this name. */
export function attributeOf(object: Value, name: string, limits: Limits): Value | undefined {
  if (object instanceof Undefined) return fail(object.reason);
  if (CHANGING.get(typeOf(object))?.has(name)) {
    fail(`the method ${name} of ${typeOf(object)} is not allowed: it changes the object`);
  }
  if (typeof object === "string") return stringMethod(object, name, limits);
  if (object instanceof Dict) return dictMethod(object, name);
  if (object instanceof Tuple && object.names.includes(name)) {
    return object.items[object.names.indexOf(name)];
  }
  if (isList(object)) return sequenceMethod(object, name, limits);
  if (object instanceof Tuple) return sequenceMethod(object.items, name, limits);
  if (object instanceof Namespace || object instanceof Callable) return object.fields.get(name);
  return object instanceof Fields ? object.get(name) : undefined;
}

function dictMethod(dict: Dict, name: string): Callable | undefined {
  const method = (parameters: string, run: (first: Value, second?: Value) => Value): Callable =>
    new Callable(name, (args) => {
      const [first, second] = bind(name, parameters, args);
      return run(first ?? null, second);
    });
  switch (name) {
    case "get":
      return method("key! default", (key, fallback = null) => {
        const value = dict.get(key);
        return value === undefined ? fallback : value;
      });
    case "items":
    case "keys":
    case "values":
      return method("", () => new DictView(`dict_${name}`, dict));
    case "copy":
      return method("", () => new Dict(dict.entries()));
    default:
      return undefined;
  }
}

function sequenceMethod(
  items: readonly Value[],
  name: string,
  limits: Limits,
): Callable | undefined {
  switch (name) {
    case "index":
      return new Callable(name, (args) => indexIn(items, args, limits));
    case "count":
      return new Callable(name, (args) => {
        const [value] = bind(name, "value!", args);
        limits.read(items);
        return BigInt(items.filter((item) => equals(item, value!, limits)).length);
      });
    case "copy":
      return new Callable(name, () => items);
    default:
      return undefined;
  }
}

function indexIn(items: readonly Value[], args: Arguments, limits: Limits): bigint {
  const [value, start, stop] = bind("index", "value! start stop", args);
  const place = (given: Value): number => toInteger("index", given);
  const from = optional(start, place) ?? 0;
  limits.read(items);
  const part = items.slice(from, optional(stop, place));
  const at = part.findIndex((item) => equals(item, value!, limits));
  if (at < 0) fail("index: expected a value in the list");
  return BigInt(items.length - items.slice(from).length + at);
}
