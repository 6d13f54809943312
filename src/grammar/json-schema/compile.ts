/**
 * JSON Schema, draft 2020-12, as a grammar: every text of it parses as JSON and satisfies the
 * schema. What cannot be expressed is refused; docs/structured-output.md lists what is narrowed.
 */
import { describeValue } from "../../describe.js";
import { invalidArgument } from "../../errors.js";
import { bytesOf, choice, NO_WAY, repeat, sequence } from "../build.js";
import { intersect, ofLength, ofTexts, unite } from "../characters/combine.js";
import { type CharDfa, NOTHING } from "../characters/dfa.js";
import { toJsonString } from "../characters/json-string.js";
import { toUtf8 } from "../characters/utf8.js";
import type { Expression, Grammar } from "../expression.js";
import { prune } from "../prune.js";
import type { Alternative, Alternatives } from "./alternatives.js";
import { arrayExpression } from "./arrays.js";
import { alternativeMayHold, distinctAlternatives, textsOf, valuesOf } from "./emptiness.js";
import { SPACE, STRING_CHARACTER } from "./json-text.js";
import { boundsOf } from "./key-values.js";
import { valuesExpression } from "./listed-values.js";
import {
  ALL_TYPES,
  ARRAY,
  FALSE,
  NEVER,
  NULL,
  NUMBER,
  type NumberRule,
  OBJECT,
  refuse,
  type SchemaNode,
  STRING,
  type StringRule,
  TRUE,
} from "./node.js";
import { numbersOf } from "./numbers.js";
import { objectExpression } from "./objects.js";
import { SchemaReader } from "./read.js";
import { canonical } from "./read-scalars.js";
import { RuleSet } from "./rules.js";

/** The JSON texts of the values that satisfy a schema. */
export function schemaGrammar(schema: unknown): Grammar {
  const root = "JSON";
  const rules = new Compiler().compile(new SchemaReader(schema).root(), root);
  const grammar = prune({ root, rules });
  if (grammar !== undefined) return grammar;
  const expected = "a schema that some value satisfies";
  throw invalidArgument("responseFormat", expected, describeValue(schema));
}

class Compiler {
  readonly rules: RuleSet = new RuleSet();
  readonly anyString: Expression;
  readonly #alternatives: Alternatives = distinctAlternatives();
  readonly #character: Expression;
  readonly #numbers = new Map<string, Expression>();

  constructor() {
    this.#character = this.rules.named("character", STRING_CHARACTER);
    this.anyString = this.rules.named("string", this.#freeString(0, Number.POSITIVE_INFINITY));
  }

  compile(node: SchemaNode, root: string): ReadonlyMap<string, Expression> {
    this.rules.rules.set(root, sequence(SPACE, this.rules.value([node])));
    this.rules.complete((nodes) => this.#value(nodes));
    return this.rules.rules;
  }

  #value(nodes: readonly SchemaNode[]): Expression {
    if (nodes.includes(NEVER)) return NO_WAY;
    return choice(this.#alternatives.of(nodes).flatMap((each) => this.#alternative(each)));
  }

  readonly mayHold = (nodes: readonly SchemaNode[]): boolean => {
    if (nodes.includes(NEVER)) return false;
    return this.#alternatives
      .of(nodes)
      .some((each) => alternativeMayHold(each, (children) => !children.includes(NEVER)));
  };

  /** The only values that satisfy nodes; undefined if these are not all listed. */
  readonly listed = (nodes: readonly SchemaNode[]): readonly unknown[] | undefined => {
    if (nodes.includes(NEVER)) return [];
    const lists = this.#alternatives.of(nodes).map(valuesOf);
    if (lists.includes(undefined)) return undefined;
    const values = (lists as unknown[][]).flat();
    return [...new Map(values.map((value) => [canonical(value), value])).values()];
  };

  #alternative(alternative: Alternative): Expression[] {
    const values = valuesOf(alternative);
    if (values !== undefined) return values.length > 0 ? [valuesExpression(values)] : [];
    const [node] = alternative.inexpressible;
    if (node !== undefined && alternativeMayHold(alternative, this.mayHold)) {
      const { keyword, value } = node.rules.inexpressible!;
      throw refuse(keyword, `${node.place}, negated`, value);
    }
    const types = typesOf(alternative);
    const ways: Expression[] = [];
    for (const [type, text] of [
      [NULL, "null"],
      [TRUE, "true"],
      [FALSE, "false"],
    ] as const) {
      if ((types & type) !== 0) ways.push(bytesOf(text));
    }
    if ((types & NUMBER) !== 0) ways.push(this.#number(alternative.numbers));
    if ((types & STRING) !== 0) ways.push(this.#string(alternative.strings));
    if ((types & ARRAY) !== 0) ways.push(arrayExpression(alternative, this));
    if ((types & OBJECT) !== 0) ways.push(objectExpression(alternative, this));
    return ways;
  }

  #number(rules: readonly NumberRule[]): Expression {
    const key = JSON.stringify([...new Set(rules.map((rule) => JSON.stringify(rule)))].sort());
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.rules.named("number", { kind: "dfa", dfa: toUtf8(numbersOf(rules)) });
      this.#numbers.set(key, number);
    }
    return number;
  }

  #string(rules: readonly StringRule[]): Expression {
    const { min, max } = boundsOf(rules);
    if (min > max) return NO_WAY;
    if (!rules.some(({ kind }) => kind === "texts")) {
      return min === 0 && max === Number.POSITIVE_INFINITY
        ? this.anyString
        : this.#freeString(min, max);
    }
    const quote = bytesOf('"');
    return sequence(quote, { kind: "dfa", dfa: toJsonString(stringsThat(rules)) }, quote);
  }

  #freeString(min: number, max: number): Expression {
    const quote = bytesOf('"');
    return sequence(quote, repeat(this.#character, min, max), quote);
  }

  /** The texts of the strings that satisfy nodes. */
  readonly stringsOf = (nodes: readonly SchemaNode[]): CharDfa => {
    let dfa = NOTHING;
    for (const alternative of this.#alternatives.of(nodes)) {
      const values = valuesOf(alternative);
      const [node] = alternative.inexpressible;
      if ((alternative.types & STRING) === 0) continue;
      if (values !== undefined) {
        const texts = values.filter((value) => typeof value === "string");
        dfa = unite(dfa, ofTexts(texts));
      } else if (node !== undefined) {
        throw refuse(node.rules.inexpressible!.keyword, `${node.place}, negated`, "");
      } else {
        const own = stringsThat(alternative.strings);
        dfa = dfa === NOTHING ? own : unite(dfa, own);
      }
    }
    return dfa;
  };
}

/** The texts that satisfy rules of strings. */
function stringsThat(rules: readonly StringRule[]): CharDfa {
  const { min, max } = boundsOf(rules);
  if (min > max) return NOTHING;
  const texts = textsOf(rules, true);
  return min === 0 && max === Number.POSITIVE_INFINITY
    ? texts
    : intersect(texts, ofLength(min, max));
}

/** The types of an alternative: without a word on them, those that its rules are about. */
function typesOf({ types, isTyped, numbers, strings, objects, arrays }: Alternative): number {
  if (isTyped) return types;
  const meant =
    (numbers.length > 0 ? NUMBER : 0) |
    (strings.length > 0 ? STRING : 0) |
    (objects.length > 0 ? OBJECT : 0) |
    (arrays.length > 0 ? ARRAY : 0);
  return meant === 0 ? ALL_TYPES : meant;
}
