/** One rule as a deterministic automaton, in which a call of a rule counts as a symbol. */
import type { ByteEdge } from "./expression.js";
import { Budget, tooLarge } from "./limits.js";
import type { CallEdge, NfaState, RuleNfa } from "./rule-states.js";

/** A state of a rule. */
export interface RuleState {
  readonly bytes: readonly ByteEdge[];
  readonly calls: readonly CallEdge[];
  readonly isFinal: boolean;
}

/** States of one rule, and steps to find them: states that are looked at. */
const MOST_STATES = 100_000;
const MOST_STEPS = 3_000_000;

/** The states of the deterministic automaton; the first is where it begins. */
export function ruleDfa({ states: nfa, start, end }: RuleNfa): RuleState[] {
  const sets: number[][] = [];
  const known = new Map<string, number>();
  const seen = new Uint32Array(nfa.length);
  const budget = new Budget(MOST_STEPS);
  let round = 0;
  const intern = (targets: readonly number[]): number => {
    const set = closureOf({ states: nfa, start, end }, targets, seen, ++round);
    budget.spend(set.length);
    const key = set.join();
    const old = known.get(key);
    if (old !== undefined) return old;
    if (sets.length === MOST_STATES) throw tooLarge(`more than ${MOST_STATES} states a rule`);
    known.set(key, sets.length);
    return sets.push(set) - 1;
  };
  intern([start]);
  const states: RuleState[] = [];
  // Each new set is added at the end, and the loop gets to it.
  for (const set of sets) {
    states.push({
      bytes: byteEdges(nfa, set, intern),
      calls: callEdges(nfa, set, intern),
      isFinal: set.includes(end),
    });
  }
  return states;
}

/** The states that are reached without a byte and have edges, and the end, in order. */
function closureOf(
  { states, end }: RuleNfa,
  from: readonly number[],
  seen: Uint32Array,
  round: number,
): number[] {
  const stack: number[] = [];
  const found: number[] = [];
  const visit = (state: number): void => {
    if (seen[state] === round) return;
    seen[state] = round;
    stack.push(state);
  };
  from.forEach(visit);
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    const { bytes, calls, empty } = states[state];
    if (bytes.length + calls.length > 0 || state === end) found.push(state);
    empty.forEach(visit);
  }
  return found.sort((a, b) => a - b);
}

function byteEdges(
  nfa: readonly NfaState[],
  set: readonly number[],
  intern: (targets: readonly number[]) => number,
): ByteEdge[] {
  const edges = set.flatMap((state) => nfa[state].bytes);
  if (edges.length === 1) {
    const [{ from, to, target }] = edges;
    return [{ from, to, target: intern([target]) }];
  }
  const targets: (number[] | undefined)[] = new Array(256);
  for (const { from, to, target } of edges) {
    for (let byte = from; byte <= to; byte++) {
      const list = targets[byte];
      if (list === undefined) targets[byte] = [target];
      else list.push(target);
    }
  }
  const found: ByteEdge[] = [];
  let before: { list: readonly number[]; from: number; target: number } | undefined;
  const close = (byte: number): void => {
    if (before === undefined) return;
    found.push({ from: before.from, to: byte - 1, target: before.target });
    before = undefined;
  };
  for (let byte = 0; byte < 256; byte++) {
    const list = targets[byte];
    if (before !== undefined && list !== undefined && isSame(before.list, list)) continue;
    close(byte);
    if (list !== undefined) before = { list, from: byte, target: intern(list) };
  }
  close(256);
  return found;
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((each, i) => each === b[i]);
}

function callEdges(
  nfa: readonly NfaState[],
  set: readonly number[],
  intern: (targets: readonly number[]) => number,
): CallEdge[] {
  const targets = new Map<string, number[]>();
  for (const state of set) {
    for (const { rule, target } of nfa[state].calls) {
      const list = targets.get(rule);
      if (list === undefined) targets.set(rule, [target]);
      else list.push(target);
    }
  }
  return Array.from(targets, ([rule, list]) => ({ rule, target: intern(list) }));
}
