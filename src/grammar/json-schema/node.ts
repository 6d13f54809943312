/**
 * Schemas as what they demand. A node's rules must all hold; each rule is about one type and says
 * nothing of the others, as JSON Schema's keywords do.
 */
import { describeValue } from "../../describe.js";
import { invalidArgument, type PlmError } from "../../errors.js";
import type { CharDfa } from "../characters/dfa.js";

/** Types as bits. Either boolean is one, so that a set of types tells which booleans are in it. */
export const NULL = 1;
export const TRUE = 2;
export const FALSE = 4;
export const NUMBER = 8;
export const STRING = 16;
export const OBJECT = 32;
export const ARRAY = 64;
export const ALL_TYPES = 127;

export type Comparison = "<" | "<=" | ">" | ">=" | "!=";

export type NumberRule =
  | { readonly kind: "compare"; readonly comparison: Comparison; readonly to: number }
  | { readonly kind: "multiple"; readonly of: number; readonly isNegated: boolean };

/** Bounds of a length or a count; `max` may be Infinity. */
export interface CountRule {
  readonly kind: "count";
  readonly min: number;
  readonly max: number;
}

/** The texts of an automaton, which is made on use; `keyword` is what demands it. */
export interface TextsRule {
  readonly kind: "texts";
  readonly keyword: string;
  dfa(): CharDfa;
}

export type StringRule = CountRule | TextsRule;

/** A key pattern and what the values of such keys are. */
export interface KeyPattern {
  readonly keys: TextsRule;
  readonly node: SchemaNode;
}

/** `properties`, `patternProperties` and `additionalProperties` of one schema. */
export interface MembersRule {
  readonly kind: "members";
  readonly properties: ReadonlyMap<string, SchemaNode>;
  readonly patterns: readonly KeyPattern[];
  readonly additional: SchemaNode | undefined;
  /** Whether a schema spells the members out, so that it is meant to have no others. */
  readonly isSpelled: boolean;
}

/** `unevaluatedProperties` of a schema, whose `all` and `choices` evaluate some. */
export interface UnevaluatedRule {
  readonly kind: "unevaluated";
  readonly node: SchemaNode;
  readonly own: MembersRule;
  readonly all: readonly SchemaNode[];
  readonly choices: readonly Choice[];
}

export type ObjectRule =
  | CountRule
  | MembersRule
  | UnevaluatedRule
  | { readonly kind: "required"; readonly name: string }
  | { readonly kind: "names"; readonly node: SchemaNode };

/** `prefixItems` and `items` of one schema. */
export interface ItemsRule {
  readonly kind: "items";
  readonly prefix: readonly SchemaNode[];
  readonly rest: SchemaNode | undefined;
}

export interface ContainsRule {
  readonly kind: "contains";
  readonly node: SchemaNode;
  readonly min: number;
  readonly max: number;
}

export type ArrayRule = CountRule | ItemsRule | ContainsRule | { readonly kind: "unique" };

/** One of the options holds, or exactly one. All nodes of an option hold together. */
export interface Choice {
  readonly keyword: string;
  readonly place: string;
  readonly isExclusive: boolean;
  readonly options: readonly (readonly SchemaNode[])[];
}

/** What must hold. */
export interface Rules {
  readonly types: number;
  /** The only values, if these are listed. */
  readonly values?: readonly unknown[];
  readonly numbers?: readonly NumberRule[];
  readonly strings?: readonly StringRule[];
  readonly objects?: readonly ObjectRule[];
  readonly arrays?: readonly ArrayRule[];
  /** Other schemas for the same value. */
  readonly all?: readonly SchemaNode[];
  readonly choices?: readonly Choice[];
  /** What no rule expresses; the schema is refused unless no value gets here. */
  readonly inexpressible?: Inexpressible;
}

/** That a schema does not hold, because of a keyword whose negation is no rule. */
export interface Inexpressible {
  readonly negated: SchemaNode;
  readonly keyword: string;
  readonly value: unknown;
}

let nodes = 0;

/** A schema, read on use, as schemas may refer to themselves. */
export class SchemaNode {
  /** Tells nodes apart in names. */
  readonly id: number = nodes++;
  /** Where it stands: a JSON pointer after "#". */
  readonly place: string;
  /** The schema that this is the negation of, if it was made as one. */
  readonly negated: SchemaNode | undefined;
  readonly #read: () => Rules;
  #isRead = false;
  #rules: Rules | undefined;
  #core: SchemaNode | undefined;

  constructor(place: string, read: () => Rules, negated?: SchemaNode) {
    this.place = place;
    this.#read = read;
    this.negated = negated;
  }

  get rules(): Rules {
    if (this.#rules === undefined) {
      if (this.#isRead) throw refuse("$ref", this.place, "a schema that refers to itself");
      this.#isRead = true;
      this.#rules = this.#read();
    }
    return this.#rules;
  }

  /** The same without other schemas for the same value. */
  get core(): SchemaNode {
    const { all = [], choices = [] } = this.rules;
    if (all.length + choices.length === 0) return this;
    this.#core ??= new SchemaNode(this.place, () => ({ ...this.rules, all: [], choices: [] }));
    return this.#core;
  }
}

/** A node of rules that no schema spells out. */
export const nodeOf = (place: string, rules: Partial<Rules>): SchemaNode =>
  new SchemaNode(place, () => ({ types: ALL_TYPES, ...rules }));

export const ANYTHING: SchemaNode = nodeOf("#", {});
export const NEVER: SchemaNode = nodeOf("#", { types: 0 });

/** The error of a schema that cannot be honoured. */
export function refuse(keyword: string, place: string, value: unknown): PlmError {
  const expected = `a schema without ${JSON.stringify(keyword)} (at ${place})`;
  return invalidArgument("responseFormat", expected, describeValue(value));
}

/** The error of a keyword's value of the wrong kind. */
export function wrongValue(
  keyword: string,
  place: string,
  expected: string,
  value: unknown,
): PlmError {
  const what = `${expected} as ${JSON.stringify(keyword)} (at ${place})`;
  return invalidArgument("responseFormat", what, describeValue(value));
}
