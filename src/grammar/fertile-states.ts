/** Which states lead to the end of their rule. */
import type { CompiledRules } from "./compile-rules.js";
import type { RuleState } from "./rule-dfa.js";

/** A state: its rule and its place in it. */
interface Place {
  readonly rule: string;
  readonly state: number;
}

/** For each rule that is an automaton, whether each of its states leads to an end. */
export type Fertile = ReadonlyMap<string, readonly boolean[]>;

/** Rules and states from which some text leads to an end. */
export function findFertile({ automata, repetitions }: CompiledRules): {
  readonly states: Fertile;
  readonly rules: ReadonlySet<string>;
} {
  const states = new Map(Array.from(automata, ([name, rule]) => [name, rule.map(() => false)]));
  const rules = new Set<string>();
  const before = edgesBackwards(automata);
  /** Calls of a rule, for when it turns out to be fertile. */
  const callers = callersOf(automata);
  const bodies = new Map(Array.from(repetitions, ([name, { body }]) => [body, name]));
  const stack: Place[] = [];
  const addRule = (name: string): void => {
    if (rules.has(name)) return;
    rules.add(name);
    const repetition = bodies.get(name);
    if (repetition !== undefined) addRule(repetition);
    for (const { from, target } of callers.get(name) ?? []) {
      if (states.get(target.rule)![target.state]) addState(from);
    }
  };
  const addState = ({ rule, state }: Place): void => {
    const known = states.get(rule)!;
    if (known[state]) return;
    known[state] = true;
    stack.push({ rule, state });
  };
  for (const [name, { min }] of repetitions) if (min === 0) addRule(name);
  for (const [rule, each] of automata) {
    each.forEach(({ isFinal }, state) => {
      if (isFinal) addState({ rule, state });
    });
  }
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    const { rule, state } = place;
    if (state === 0) addRule(rule);
    for (const edge of before.get(rule)![state]) {
      if (edge.call === undefined || rules.has(edge.call)) addState({ rule, state: edge.from });
    }
  }
  return { states, rules };
}

/** For each state, the states that lead to it, and by the call of which rule. */
function edgesBackwards(
  automata: ReadonlyMap<string, readonly RuleState[]>,
): Map<string, { readonly from: number; readonly call: string | undefined }[][]> {
  const all = new Map<string, { from: number; call: string | undefined }[][]>();
  for (const [name, rule] of automata) {
    const before: { from: number; call: string | undefined }[][] = rule.map(() => []);
    rule.forEach(({ bytes, calls }, from) => {
      for (const { target } of bytes) before[target].push({ from, call: undefined });
      for (const { target, rule: call } of calls) before[target].push({ from, call });
    });
    all.set(name, before);
  }
  return all;
}

function callersOf(
  automata: ReadonlyMap<string, readonly RuleState[]>,
): Map<string, { readonly from: Place; readonly target: Place }[]> {
  const callers = new Map<string, { from: Place; target: Place }[]>();
  for (const [name, rule] of automata) {
    rule.forEach(({ calls }, state) => {
      for (const call of calls) {
        const place = {
          from: { rule: name, state },
          target: { rule: name, state: call.target },
        };
        const list = callers.get(call.rule);
        if (list === undefined) callers.set(call.rule, [place]);
        else list.push(place);
      }
    });
  }
  return callers;
}
