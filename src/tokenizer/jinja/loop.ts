/** The variable `loop` of a for loop. */
import { equals } from "./compare.js";
import { fail } from "./failure.js";
import type { Limits } from "./limits.js";
import { Callable, Fields, Undefined, type Value } from "./values.js";

/** The state of a loop. */
export interface LoopState {
  readonly items: readonly Value[];
  index: number;
  /** From 0: how many calls of the same recursive loop surround this one. */
  readonly depth: number;
  /** The last arguments of `loop.changed`. */
  changed: Value | undefined;
}

/** `loop` for a template; `recurse` is what `loop(...)` does in a recursive loop. */
export function createLoop(
  state: LoopState,
  limits: Limits,
  recurse: Callable["call"] | undefined,
): Fields {
  const changed = new Callable("changed", ({ positional }) => {
    const isNew = state.changed === undefined || !equals(state.changed, positional, limits);
    state.changed = positional;
    return isNew;
  });
  const cycle = new Callable("cycle", ({ positional }) =>
    positional.length > 0
      ? positional[state.index % positional.length]
      : fail("loop.cycle: expected at least one item"),
  );
  const get = (name: string): Value | undefined => {
    const { items, index, depth } = state;
    switch (name) {
      case "index":
        return BigInt(index + 1);
      case "index0":
        return BigInt(index);
      case "revindex":
        return BigInt(items.length - index);
      case "revindex0":
        return BigInt(items.length - index - 1);
      case "first":
        return index === 0;
      case "last":
        return index === items.length - 1;
      case "length":
        return BigInt(items.length);
      case "previtem":
        return index > 0 ? items[index - 1] : new Undefined("there is no previous item");
      case "nextitem":
        return index + 1 < items.length ? items[index + 1] : new Undefined("there is no next item");
      case "depth":
        return BigInt(depth + 1);
      case "depth0":
        return BigInt(depth);
      case "cycle":
        return cycle;
      case "changed":
        return changed;
      default:
        return undefined;
    }
  };
  return new Fields("LoopContext", get, recurse);
}
