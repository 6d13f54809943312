/**
 * The constraints of a vocabulary: its tokens in order, and the grammars that were used last. This
 * is where the generate loop enters the folder, by an import of its own: who never asks for a
 * response format never loads it.
 */
import { Automaton } from "./automaton.js";
import { Recent } from "./recent.js";
import { RuleTable } from "./rule-table.js";
import { type GrammarSource, grammarOf } from "./source.js";
import { type ConstrainedTokens, TokenConstraint } from "./token-constraint.js";
import { TokenMasks } from "./token-masks.js";
import { orderTokens, type TokenOrder, type TokenTexts } from "./token-order.js";

/** A grammar in use. */
interface Prepared {
  readonly automaton: Automaton;
  readonly masks: TokenMasks;
}

/** Grammars of a vocabulary that are kept. */
const MOST_GRAMMARS = 16;

/** What holds the bytes of a vocabulary. */
export interface Vocabulary {
  readonly eosTokenIds: ReadonlySet<number>;
  tokenTexts(): TokenTexts;
}

/** Those of vocabularies in use. */
const known = new WeakMap<Vocabulary, Constraints>();

/**
 * A constraint for one text. Throws INVALID_ARGUMENT for a source that cannot be honoured. The
 * first of a vocabulary takes some tens of milliseconds.
 */
export function createConstraint(vocabulary: Vocabulary, source: GrammarSource): TokenConstraint {
  let constraints = known.get(vocabulary);
  if (constraints === undefined) {
    constraints = new Constraints(vocabulary);
    known.set(vocabulary, constraints);
  }
  return constraints.create(source);
}

/** Throws INVALID_ARGUMENT for a source that cannot be honoured. */
export function checkGrammar(source: GrammarSource): void {
  new RuleTable(grammarOf(source));
}

/** Makes constraints over one vocabulary. */
class Constraints {
  readonly #tokens: ConstrainedTokens;
  readonly #order: TokenOrder;
  /** By their source. */
  readonly #prepared = new Recent<string, Prepared>(MOST_GRAMMARS);

  constructor(vocabulary: Vocabulary) {
    const { eosTokenIds } = vocabulary;
    const texts = vocabulary.tokenTexts();
    this.#tokens = { texts, eosTokenIds };
    this.#order = orderTokens(texts, eosTokenIds);
  }

  create(source: GrammarSource): TokenConstraint {
    const key = `${source.type} ${source.text}`;
    let prepared = this.#prepared.get(key);
    if (prepared === undefined || prepared.automaton.isLarge) {
      const automaton = new Automaton(grammarOf(source));
      prepared = { automaton, masks: new TokenMasks(automaton, this.#order) };
      this.#prepared.set(key, prepared);
    }
    return new TokenConstraint(prepared.automaton, prepared.masks, this.#tokens);
  }
}
