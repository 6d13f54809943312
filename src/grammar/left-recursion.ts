/** Refuses rules that begin with themselves: they would call themselves without end. */
import { invalidArgument, quote } from "../errors.js";
import type { CompiledRules } from "./compile-rules.js";
import { tooLarge } from "./limits.js";
import type { RuleState } from "./rule-dfa.js";

/** Repetitions of what may be empty. */
const MOST_EMPTY = 512;

/** Throws INVALID_ARGUMENT for left recursion, and for large repetitions of what may be empty. */
export function refuseLeftRecursion(rules: CompiledRules): void {
  const nullable = findNullable(rules);
  const called = new Map<string, readonly string[]>();
  for (const [name, states] of rules.automata) {
    called.set(name, [...walkWithoutByte(states, nullable).called]);
  }
  for (const [name, { body, min, max }] of rules.repetitions) {
    const most = max === Infinity ? min : max;
    if (nullable.has(body) && most > MOST_EMPTY) {
      throw tooLarge(`more than ${MOST_EMPTY} repetitions of what may be empty`);
    }
    called.set(name, [body]);
  }
  const circle = findCircle(called);
  if (circle === undefined) return;
  const expected = "rules that begin with something else than themselves";
  throw invalidArgument("responseFormat", expected, `${quote(circle)}, which is left-recursive`);
}

/** The rules that may be empty. */
function findNullable({ automata, repetitions }: CompiledRules): Set<string> {
  const nullable = new Set<string>();
  for (let before = -1; before < nullable.size; ) {
    before = nullable.size;
    for (const [name, { min, body }] of repetitions) {
      if (min === 0 || nullable.has(body)) nullable.add(name);
    }
    for (const [name, states] of automata) {
      if (!nullable.has(name) && walkWithoutByte(states, nullable).isOver) nullable.add(name);
    }
  }
  return nullable;
}

/** The rules that a rule can call before its first byte, and whether it can end before it. */
function walkWithoutByte(
  states: readonly RuleState[],
  nullable: ReadonlySet<string>,
): { readonly called: ReadonlySet<string>; readonly isOver: boolean } {
  const called = new Set<string>();
  const seen = new Set([0]);
  let isOver = false;
  for (const state of seen) {
    isOver ||= states[state].isFinal;
    for (const { rule, target } of states[state].calls) {
      called.add(rule);
      if (nullable.has(rule)) seen.add(target);
    }
  }
  return { called, isOver };
}

/** A rule that calls itself, by way of others or not. */
function findCircle(called: ReadonlyMap<string, readonly string[]>): string | undefined {
  const done = new Set<string>();
  for (const root of called.keys()) {
    const path = [{ name: root, next: 0 }];
    const above = new Set([root]);
    while (path.length > 0) {
      const place = path[path.length - 1];
      const target = done.has(place.name) ? undefined : called.get(place.name)![place.next++];
      if (target === undefined) {
        done.add(place.name);
        above.delete(place.name);
        path.pop();
      } else if (above.has(target)) {
        return target;
      } else {
        path.push({ name: target, next: 0 });
        above.add(target);
      }
    }
  }
  return undefined;
}
