/** The functions of every template: Jinja's globals, and those of transformers. */
import { bind, toInteger, toStr } from "./arguments.js";
import { fail } from "./failure.js";
import { toText } from "./print.js";
import type { Runtime } from "./runtime.js";
import { strftime } from "./strftime.js";
import {
  type Arguments,
  Callable,
  Dict,
  Fields,
  iterate,
  Namespace,
  Range,
  type Value,
} from "./values.js";

/** The globals by name. */
export function createGlobals(runtime: Runtime): ReadonlyMap<string, Value> {
  const { limits } = runtime;
  const functions: Readonly<Record<string, Callable["call"]>> = {
    range: (args) => createRange(args),
    dict: (args) => dictOf(args),
    namespace: (args) => createNamespace(args),
    cycler: ({ positional }) => createCycler(positional),
    joiner: (args) => {
      const [separator = ", "] = bind("joiner", "sep", args);
      let isUsed = false;
      return new Fields(
        "Joiner",
        () => undefined,
        () => {
          const text = isUsed ? separator : "";
          isUsed = true;
          return text;
        },
      );
    },
    raise_exception: (args) => {
      const [message] = bind("raise_exception", "message!", args);
      return fail(toText(message!, limits));
    },
    strftime_now: (args) => {
      const [format] = bind("strftime_now", "format!", args);
      return strftime(runtime.now(), toStr("strftime_now", format!));
    },
  };
  return new Map(Object.entries(functions).map(([name, call]) => [name, new Callable(name, call)]));
}

function createRange({ positional, named }: Arguments): Range {
  if (positional.length < 1 || positional.length > 3 || named.size > 0) {
    fail("range: expected one to three positional arguments");
  }
  const [first, second, step = 1] = positional.map((value) => toInteger("range", value));
  return second === undefined ? new Range(0, first, 1) : new Range(first, second, step);
}

function dictOf({ positional, named }: Arguments): Dict {
  const [from] = bind("dict", "mapping", { positional, named: new Map() });
  const dict = new Dict();
  if (from instanceof Dict) for (const [key, value] of from.entries()) dict.set(key, value);
  else if (from !== undefined) {
    for (const pair of iterate(from)) {
      const [key, value, ...rest] = iterate(pair);
      if (value === undefined || rest.length > 0) fail("dict: expected pairs of key and value");
      dict.set(key, value);
    }
  }
  for (const [key, value] of named) dict.set(key, value);
  return dict;
}

function createNamespace(args: Arguments): Namespace {
  const fields = dictOf(args).entries();
  return new Namespace(new Map(fields.map(([name, value]) => [toStr("namespace", name), value])));
}

/** Returns its items in turn, endlessly. */
function createCycler(items: readonly Value[]): Fields {
  if (items.length === 0) fail("cycler: expected at least one item");
  let at = 0;
  const next = new Callable("next", () => items[at++ % items.length]);
  const reset = new Callable("reset", () => {
    at = 0;
    return null;
  });
  return new Fields("Cycler", (name) => {
    if (name === "current") return items[at % items.length];
    return name === "next" ? next : name === "reset" ? reset : undefined;
  });
}
