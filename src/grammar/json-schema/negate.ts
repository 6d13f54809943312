/** The negation of a schema as a schema: any of the ways in which it may fail. */
import { complement, ofTexts } from "../characters/combine.js";
import { isObject } from "./document.js";
import {
  ALL_TYPES,
  ANYTHING,
  ARRAY,
  type ArrayRule,
  type Choice,
  type Comparison,
  type CountRule,
  FALSE,
  NEVER,
  NULL,
  NUMBER,
  type NumberRule,
  nodeOf,
  OBJECT,
  type ObjectRule,
  type Rules,
  SchemaNode,
  STRING,
  type StringRule,
  TRUE,
} from "./node.js";
import { once } from "./once.js";
import { membersOf } from "./read-objects.js";

const negations = new WeakMap<SchemaNode, SchemaNode>();

/** What holds where the node does not. It is made on use, as schemas may refer to themselves. */
export function negate(node: SchemaNode): SchemaNode {
  if (node === ANYTHING) return NEVER;
  if (node === NEVER) return ANYTHING;
  if (node.negated !== undefined) return node.negated;
  let negation = negations.get(node);
  if (negation === undefined) {
    const { place } = node;
    const read = (): Rules => {
      const options = failures(node).map((each) => [each]);
      return {
        types: options.length > 0 ? ALL_TYPES : 0,
        choices: [{ keyword: "not", place, isExclusive: false, options }],
      };
    };
    negation = new SchemaNode(place, read, node);
    negations.set(node, negation);
  }
  return negation;
}

/** The ways in which a node fails. */
function failures(node: SchemaNode): SchemaNode[] {
  const { rules, place } = node;
  const found: SchemaNode[] = [];
  const add = (types: number, { keyword, value, ...own }: Failure): void => {
    const inexpressible = keyword !== undefined && {
      inexpressible: { negated: node, keyword, value },
    };
    found.push(nodeOf(place, { ...own, types, ...inexpressible }));
  };
  const counts = (types: number, key: "strings" | "objects" | "arrays", rule: CountRule): void => {
    for (const other of otherCounts(rule)) add(types, { [key]: [other] });
  };
  if (rules.types !== ALL_TYPES) add(ALL_TYPES & ~rules.types, {});
  for (const { types, ...own } of otherValues(rules.values)) add(types, own);
  for (const rule of rules.numbers ?? []) add(NUMBER, { numbers: [otherNumbers(rule)] });
  for (const rule of rules.strings ?? []) {
    if (rule.kind === "count") counts(STRING, "strings", rule);
    else add(STRING, otherTexts(rule));
  }
  for (const rule of rules.objects ?? []) {
    if (rule.kind === "count") counts(OBJECT, "objects", rule);
    else for (const other of otherObjects(rule)) add(OBJECT, other);
  }
  for (const rule of rules.arrays ?? []) {
    if (rule.kind === "count") counts(ARRAY, "arrays", rule);
    else for (const other of otherArrays(rule)) add(ARRAY, other);
  }
  for (const each of rules.all ?? []) found.push(negate(each));
  for (const choice of rules.choices ?? []) found.push(...noChoice(choice, place));
  return found;
}

/** Rules of a way to fail, or the keyword of one that no rule expresses. */
interface Failure extends Partial<Rules> {
  readonly keyword?: string;
  readonly value?: unknown;
}

const inexpressible = (keyword: string, value: unknown): Failure => ({ keyword, value });

function otherCounts({ min, max }: CountRule): CountRule[] {
  const others: CountRule[] = [];
  if (min > 0) others.push({ kind: "count", min: 0, max: min - 1 });
  const more = { kind: "count", min: max + 1, max: Number.POSITIVE_INFINITY } as const;
  return Number.isFinite(max) ? [...others, more] : others;
}

const OPPOSITE: Readonly<Record<Exclude<Comparison, "!=">, Comparison>> = {
  "<": ">=",
  "<=": ">",
  ">": "<=",
  ">=": "<",
};

function otherNumbers(rule: NumberRule): NumberRule {
  if (rule.kind === "multiple") return { ...rule, isNegated: !rule.isNegated };
  // "!=" is only made by negations, which are taken back as a whole.
  return { ...rule, comparison: rule.comparison === "!=" ? "!=" : OPPOSITE[rule.comparison] };
}

function otherTexts(rule: StringRule & { kind: "texts" }): Failure {
  // A format's pattern is stricter than the format, so what it leaves out may be of the format.
  if (rule.keyword === "format") return inexpressible("format", "");
  const dfa = once(() => complement(rule.dfa()));
  return { strings: [{ kind: "texts", keyword: rule.keyword, dfa }] };
}

/** Everything but the listed values. */
function otherValues(values: readonly unknown[] | undefined): (Failure & { types: number })[] {
  if (values === undefined) return [];
  let types = ALL_TYPES;
  if (values.includes(null)) types &= ~NULL;
  if (values.includes(true)) types &= ~TRUE;
  if (values.includes(false)) types &= ~FALSE;
  const numbers = values.filter((value) => typeof value === "number");
  const texts = values.filter((value) => typeof value === "string");
  const found: (Failure & { types: number })[] = [];
  for (const [type, value] of [
    [OBJECT, values.find(isObject)],
    [ARRAY, values.find(Array.isArray)],
  ] as const) {
    if (value === undefined) continue;
    types &= ~type;
    found.push({ types: type, ...inexpressible("enum", value) });
  }
  const strings: StringRule[] = [
    { kind: "texts", keyword: "enum", dfa: once(() => complement(ofTexts(texts))) },
  ];
  const different = numbers.map((to) => ({ kind: "compare", comparison: "!=", to }) as const);
  return [...found, { types, numbers: different, ...(texts.length > 0 && { strings }) }];
}

function otherObjects(rule: Exclude<ObjectRule, CountRule>): Failure[] {
  if (rule.kind === "required") {
    return [{ objects: [membersOf(new Map([[rule.name, NEVER]]))] }];
  }
  if (rule.kind === "unevaluated") return [inexpressible("unevaluatedProperties", {})];
  if (rule.kind === "names") return [inexpressible("propertyNames", {})];
  const others: Failure[] = [];
  for (const [name, node] of rule.properties) {
    if (node === ANYTHING) continue;
    const members = membersOf(new Map([[name, negate(node)]]));
    others.push({ objects: [{ kind: "required", name }, members] });
  }
  if (rule.patterns.some(({ node }) => node !== ANYTHING)) {
    others.push(inexpressible("patternProperties", {}));
  }
  const { additional = ANYTHING } = rule;
  if (additional === ANYTHING) return others;
  if (additional === NEVER && rule.properties.size + rule.patterns.length === 0) {
    return [{ objects: [{ kind: "count", min: 1, max: Number.POSITIVE_INFINITY }] }];
  }
  return [...others, inexpressible("additionalProperties", additional === NEVER ? false : {})];
}

function otherArrays(rule: Exclude<ArrayRule, CountRule>): Failure[] {
  const most = Number.POSITIVE_INFINITY;
  if (rule.kind === "unique") return [inexpressible("uniqueItems", true)];
  if (rule.kind === "contains") {
    const { node, min, max } = rule;
    const others: Failure[] = [];
    if (min === 1) others.push({ arrays: [{ kind: "items", prefix: [], rest: negate(node) }] });
    if (min > 1) others.push({ arrays: [{ kind: "contains", node, min: 0, max: min - 1 }] });
    if (Number.isFinite(max)) {
      others.push({ arrays: [{ kind: "contains", node, min: max + 1, max: most }] });
    }
    return others;
  }
  const { prefix, rest = ANYTHING } = rule;
  const others: Failure[] = [];
  prefix.forEach((node, i) => {
    if (node === ANYTHING) return;
    const before = Array.from({ length: i }, () => ANYTHING);
    const items: ArrayRule = { kind: "items", prefix: [...before, negate(node)], rest: undefined };
    others.push({ arrays: [{ kind: "count", min: i + 1, max: most }, items] });
  });
  if (rest === ANYTHING) return others;
  if (rest === NEVER) {
    return [...others, { arrays: [{ kind: "count", min: prefix.length + 1, max: most }] }];
  }
  if (prefix.length > 0) return [...others, inexpressible("items", {})];
  return [{ arrays: [{ kind: "contains", node: negate(rest), min: 1, max: most }] }];
}

/** None of the options holds; of exclusive ones, or two of them. */
function noChoice({ isExclusive, options }: Choice, place: string): SchemaNode[] {
  const none = options.map((option) => {
    const ways = option.map((node) => [negate(node)]);
    const choice = { keyword: "not", place, isExclusive: false, options: ways };
    return nodeOf(place, { choices: [choice] });
  });
  const found = [nodeOf(place, { all: none })];
  if (!isExclusive) return found;
  options.forEach((option, i) => {
    for (const other of options.slice(i + 1)) {
      found.push(nodeOf(place, { all: [...option, ...other] }));
    }
  });
  return found;
}
