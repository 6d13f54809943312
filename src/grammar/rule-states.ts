/**
 * One rule as a nondeterministic automaton: states with edges over bytes, calls of other rules and
 * edges over nothing. A repetition of large bodies or high counts becomes a rule of its own.
 */
import type { ByteDfa, ByteEdge, Expression } from "./expression.js";
import { tooLarge } from "./limits.js";

/** A call of a rule; the automaton goes on in state `target` when it is over. */
export interface CallEdge {
  readonly rule: string;
  readonly target: number;
}

/** A state of a rule; `empty` are the states that it leads to without a byte. */
export interface NfaState {
  readonly bytes: ByteEdge[];
  readonly calls: CallEdge[];
  readonly empty: number[];
}

/** A rule's states, where it begins and where it ends. */
export interface RuleNfa {
  readonly states: readonly NfaState[];
  readonly start: number;
  readonly end: number;
}

/** The body of a counted repetition, at most so many times. */
export interface Repetition {
  readonly body: Expression;
  readonly min: number;
  readonly max: number;
}

/** What a rule has that is compiled apart from it. */
export interface Parts {
  /** The name of a rule that is this automaton. */
  automaton(dfa: ByteDfa): string;
  /** The name of a rule that is this repetition. */
  repetition(repetition: Repetition): string;
  /** Whether a rule calls other rules. */
  callsOthers(rule: string): boolean;
}

/** States up to which a repetition is written out, and an automaton copied. */
const MOST_WRITTEN = 512;
const MOST_COPIED = 64;

/**
 * What a call of a rule that calls no other counts: masks of tokens are kept for all counts of its
 * repetitions together, and not if these are written out.
 */
const LEAF_SIZE = 64;

/** States of one rule. */
const MOST_STATES = 200_000;

/** The automaton of a rule. Throws INVALID_ARGUMENT for one that is too large. */
export function ruleNfa(expression: Expression, parts: Parts): RuleNfa {
  const states: NfaState[] = [];
  const add = (): number => {
    if (states.length === MOST_STATES) throw tooLarge(`more than ${MOST_STATES} states a rule`);
    return states.push({ bytes: [], calls: [], empty: [] }) - 1;
  };
  /** Adds what leads from a state to the end of an expression, which it returns. */
  const append = (part: Expression, from: number): number => {
    switch (part.kind) {
      case "bytes":
        return part.bytes.reduce((at, byte) => {
          const target = add();
          states[at].bytes.push({ from: byte, to: byte, target });
          return target;
        }, from);
      case "sequence":
        return part.parts.reduce((at, each) => append(each, at), from);
      case "choice": {
        const end = add();
        for (const each of part.parts) {
          const start = add();
          states[from].empty.push(start);
          states[append(each, start)].empty.push(end);
        }
        return end;
      }
      case "rule":
        return call(part.name, from);
      case "dfa":
        if (part.dfa.finals.length > MOST_COPIED) return call(parts.automaton(part.dfa), from);
        return copy(part.dfa, from);
      case "repeat":
        return repeat(part, from);
    }
  };
  const call = (rule: string, from: number): number => {
    const target = add();
    states[from].calls.push({ rule, target });
    return target;
  };
  const copy = ({ edges, finals }: ByteDfa, from: number): number => {
    const first = states.length;
    for (const _ of finals) add();
    const end = add();
    states[from].empty.push(first);
    edges.forEach((each, i) => {
      for (const edge of each) {
        states[first + i].bytes.push({ ...edge, target: first + edge.target });
      }
      if (finals[i]) states[first + i].empty.push(end);
    });
    return end;
  };
  const repeat = (repetition: Repetition, from: number): number => {
    const { body, min, max } = repetition;
    const times = max === Infinity ? min + 1 : max;
    if (times * sizeOf(body, parts) > MOST_WRITTEN) return call(parts.repetition(repetition), from);
    let at = from;
    for (let i = 0; i < min; i++) at = append(body, at);
    if (max === Infinity) {
      const loop = add();
      states[at].empty.push(loop);
      states[append(body, loop)].empty.push(loop);
      return loop;
    }
    const end = add();
    for (let i = min; i < max; i++) {
      states[at].empty.push(end);
      at = append(body, at);
    }
    states[at].empty.push(end);
    return end;
  };
  const start = add();
  return { states, start, end: append(expression, start) };
}

/** About as many states as an expression has. */
function sizeOf(expression: Expression, parts: Parts): number {
  switch (expression.kind) {
    case "bytes":
      return expression.bytes.length;
    case "dfa":
      return expression.dfa.finals.length > MOST_COPIED ? 1 : expression.dfa.finals.length + 1;
    case "rule":
      return parts.callsOthers(expression.name) ? 1 : LEAF_SIZE;
    case "repeat": {
      const { body, min, max } = expression;
      return Math.min(MOST_WRITTEN, (max === Infinity ? min + 1 : max) * sizeOf(body, parts));
    }
    default:
      return expression.parts.reduce((sum, part) => sum + sizeOf(part, parts), 1);
  }
}
