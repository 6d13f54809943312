/** The states of all rules in one table, with numbers of their own. */
import { type CompiledRules, compileRules, type RepetitionRule } from "./compile-rules.js";
import type { ByteEdge, Grammar } from "./expression.js";
import { refuseLeftRecursion } from "./left-recursion.js";
import { tooLarge } from "./limits.js";
import type { RuleState } from "./rule-dfa.js";

/** A call: the automaton goes on at `start`, and in state `target` when that rule ends. */
export interface Call {
  readonly start: number;
  readonly target: number;
  /** Whether the calling rule just ends in `target`, so that the call need not return to it. */
  readonly isTail: boolean;
}

/** A state of the table. */
export interface State {
  readonly bytes: readonly ByteEdge[];
  readonly calls: readonly Call[];
  readonly isFinal: boolean;
}

/** A repetition: state `first + n` after n times its body, which begins at `start`. */
interface Counter {
  readonly first: number;
  /** A state from which any number can follow. */
  readonly open: number;
  readonly min: number;
  readonly max: number;
  readonly start: number;
}

/** States of all rules. */
const MOST_STATES = 1_000_000;

/** Counts of all repetitions. */
const MOST_COUNTS = 2 ** 30;

export class RuleTable {
  /** The state in which the root rule begins. */
  readonly start: number;
  readonly #states: State[] = [];
  readonly #counters: Counter[] = [];
  /** States of counters, made when they are entered. */
  readonly #counted = new Map<number, State>();

  /**
   * The table of a pruned grammar. Throws INVALID_ARGUMENT for one that is too large or
   * left-recursive.
   */
  constructor(grammar: Grammar) {
    const rules = compileRules(grammar);
    refuseLeftRecursion(rules);
    const starts = this.#layOut(rules);
    for (const rule of rules.automata.values()) this.#addStates(rule, starts);
    for (const [name, { min, max, body }] of rules.repetitions) {
      const [first, start] = [starts.get(name)!, starts.get(body)!];
      const last = first + lastCount({ min, max });
      const open = max === Infinity ? last : last + 1;
      this.#counters.push({ first, open, min, max, start });
    }
    this.start = starts.get(grammar.root)!;
  }

  /** State number `id`. */
  at(id: number): State {
    if (id < this.#states.length) return this.#states[id];
    let state = this.#counted.get(id);
    if (state === undefined) {
      state = this.#countedState(id);
      this.#counted.set(id, state);
    }
    return state;
  }

  /**
   * A state of the same counter from which the same texts of up to `length` bytes can follow: most
   * of the time, a counter is far from its limits. Undefined for a state of no counter.
   */
  countedLike(id: number, length: number): number | undefined {
    if (id < this.#states.length) return undefined;
    const { first, open, min, max } = this.#counterOf(id);
    const count = id - first;
    if (id === open) return open;
    if (min - count > length) return first;
    return count >= min && max - count > length ? open : id;
  }

  /**
   * For a state of a counter near its maximum: one from which any number can follow, and up to how
   * many bytes the same texts can follow both. Undefined for others.
   */
  openLike(id: number): { readonly open: number; readonly same: number } | undefined {
    const { first, open, min, max } = this.#counterOf(id);
    const count = id - first;
    return id === open || count < min ? undefined : { open, same: max - count };
  }

  /** Where each rule begins: those of automata first. */
  #layOut({ automata, repetitions }: CompiledRules): Map<string, number> {
    const starts = new Map<string, number>();
    let total = 0;
    for (const [name, rule] of automata) {
      starts.set(name, total);
      total += rule.length;
      if (total > MOST_STATES) throw tooLarge(`more than ${MOST_STATES} states`);
    }
    for (const [name, repetition] of repetitions) {
      starts.set(name, total);
      total += lastCount(repetition) + 2;
      if (total > MOST_COUNTS) throw tooLarge(`more than ${MOST_COUNTS} repetitions`);
    }
    return starts;
  }

  #addStates(rule: readonly RuleState[], starts: ReadonlyMap<string, number>): void {
    const first = this.#states.length;
    for (const { bytes, calls, isFinal } of rule) {
      this.#states.push({
        bytes: bytes.map((edge) => ({ ...edge, target: first + edge.target })),
        calls: calls.map((call) => ({
          start: starts.get(call.rule)!,
          target: first + call.target,
          isTail: isEnd(rule[call.target]),
        })),
        isFinal,
      });
    }
  }

  #counterOf(id: number): Counter {
    return this.#counters.findLast(({ first }) => first <= id)!;
  }

  #countedState(id: number): State {
    const { first, open, min, max, start } = this.#counterOf(id);
    const count = id - first;
    if (id === open) {
      return { bytes: [], calls: [{ start, target: open, isTail: false }], isFinal: true };
    }
    const calls = count === max ? [] : [{ start, target: id + 1, isTail: count + 1 === max }];
    return { bytes: [], calls, isFinal: count >= min };
  }
}

/** The count that a counter does not exceed. */
function lastCount({ min, max }: Pick<RepetitionRule, "min" | "max">): number {
  return max === Infinity ? min : max;
}

/** Whether a rule just ends in a state. */
function isEnd({ bytes, calls, isFinal }: RuleState): boolean {
  return isFinal && bytes.length + calls.length === 0;
}
