/** The rules of a grammar, each as the states of an automaton or as a counted repetition. */
import type { ByteDfa, Grammar } from "./expression.js";
import { namesIn } from "./prune.js";
import { type RuleState, ruleDfa } from "./rule-dfa.js";
import { type Parts, type Repetition, ruleNfa } from "./rule-states.js";

/** A rule that is a repetition of another. */
export interface RepetitionRule {
  readonly min: number;
  readonly max: number;
  /** The name of the rule of its body. */
  readonly body: string;
}

/** A grammar's rules by name; those that were none get names that no grammar can give. */
export interface CompiledRules {
  readonly automata: ReadonlyMap<string, readonly RuleState[]>;
  readonly repetitions: ReadonlyMap<string, RepetitionRule>;
}

/** Compiles all rules. Throws INVALID_ARGUMENT for one that is too large. */
export function compileRules(grammar: Grammar): CompiledRules {
  const automata = new Map<string, readonly RuleState[]>();
  const repetitions = new Map<string, RepetitionRule>();
  const waiting = [...grammar.rules];
  const named = new Map<ByteDfa, string>();
  /** Whether a rule calls others, by its name. */
  const calling = new Map<string, boolean>();
  let unnamed = 0;
  const newName = (): string => `\0${unnamed++}`;
  const parts: Parts = {
    callsOthers(name) {
      let calls = calling.get(name);
      if (calls === undefined) {
        calls = namesIn(grammar.rules.get(name)!).size > 0;
        calling.set(name, calls);
      }
      return calls;
    },
    automaton(dfa) {
      let name = named.get(dfa);
      if (name === undefined) {
        name = newName();
        named.set(dfa, name);
        automata.set(name, statesOf(dfa));
      }
      return name;
    },
    repetition({ body, min, max }: Repetition) {
      const name = newName();
      const bodyName = `${name} body`;
      repetitions.set(name, { min, max, body: bodyName });
      waiting.push([bodyName, body]);
      return name;
    },
  };
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const [name, expression] = next;
    automata.set(name, ruleDfa(ruleNfa(expression, parts)));
  }
  return { automata, repetitions };
}

function statesOf({ edges, finals }: ByteDfa): RuleState[] {
  return edges.map((bytes, i) => ({ bytes, calls: [], isFinal: finals[i] }));
}
