/** Structural tags: free text in which some strings begin a tag with JSON in it. */
import { requireGlobal } from "../globals.js";
import { bytesOf, many, sequence } from "./build.js";
import type { ByteDfa, ByteEdge, Expression, Grammar } from "./expression.js";
import { schemaGrammar } from "./json-schema/compile.js";

/** As in the option `responseFormat`, checked. */
export interface StructuralTags {
  readonly structures: readonly {
    readonly begin: string;
    readonly schema: object | boolean;
    readonly end: string;
  }[];
  readonly triggers: readonly string[];
  readonly atLeastOne?: boolean;
  readonly stopAfterFirst?: boolean;
  readonly separator?: string;
}

/**
 * The grammar of texts with tags. In the text around them, no trigger comes: where one does, it is
 * the beginning of a tag. With `atLeastOne`, the text begins with a tag; with `stopAfterFirst`, it
 * ends with the first; with a `separator`, there is nothing else around them. Throws
 * INVALID_ARGUMENT as schemaGrammar does.
 */
export function structuralTagGrammar(tags: StructuralTags): Grammar {
  const { structures, triggers, atLeastOne = false, stopAfterFirst = false, separator } = tags;
  const rules = new Map<string, Expression>();
  const parts = structures.map(({ begin, schema, end }, i): Expression => {
    const { root, rules: own } = schemaGrammar(schema);
    for (const [name, rule] of own) rules.set(`${i} ${name}`, renamed(rule, `${i} `));
    return sequence(bytesOf(begin), { kind: "rule", name: `${i} ${root}` }, bytesOf(end));
  });
  const tag: Expression = { kind: "choice", parts };
  const free: Expression =
    separator === undefined ? { kind: "dfa", dfa: textWithout(triggers) } : sequence();
  const next = separator === undefined ? sequence(tag, free) : sequence(bytesOf(separator), tag);
  const more = stopAfterFirst ? [] : [free, many(next)];
  const withTag = sequence(...(atLeastOne ? [] : [free]), tag, ...more);
  const root: Expression = atLeastOne ? withTag : { kind: "choice", parts: [free, withTag] };
  return { root: "text", rules: rules.set("text", root) };
}

/** The expression with a prefix before all names of rules. */
function renamed(expression: Expression, prefix: string): Expression {
  switch (expression.kind) {
    case "rule":
      return { kind: "rule", name: prefix + expression.name };
    case "repeat":
      return { ...expression, body: renamed(expression.body, prefix) };
    case "sequence":
    case "choice":
      return { ...expression, parts: expression.parts.map((part) => renamed(part, prefix)) };
    default:
      return expression;
  }
}

/**
 * All bytes except those with one of these strings in them: Aho and Corasick's automaton, without
 * the states in which a string is complete.
 */
function textWithout(texts: readonly string[]): ByteDfa {
  const encoder = new (requireGlobal("TextEncoder"))();
  /** Children by byte, the longest proper suffix that is a node, and whether a text ends. */
  const nodes = [{ next: new Map<number, number>(), suffix: 0, isWhole: false }];
  for (const text of texts) {
    let node = 0;
    for (const byte of encoder.encode(text)) {
      let child = nodes[node].next.get(byte);
      if (child === undefined) {
        child = nodes.push({ next: new Map(), suffix: 0, isWhole: false }) - 1;
        nodes[node].next.set(byte, child);
      }
      node = child;
    }
    nodes[node].isWhole = true;
  }
  const step = (from: number, byte: number): number => {
    for (let node = from; ; node = nodes[node].suffix) {
      const child = nodes[node].next.get(byte);
      if (child !== undefined || node === 0) return child ?? 0;
    }
  };
  const order = [0];
  for (const node of order) {
    for (const [byte, child] of nodes[node].next) {
      nodes[child].suffix = node === 0 ? 0 : step(nodes[node].suffix, byte);
      nodes[child].isWhole ||= nodes[nodes[child].suffix].isWhole;
      order.push(child);
    }
  }
  const edges = nodes.map((_, node): ByteEdge[] => {
    const found: { from: number; to: number; target: number }[] = [];
    for (let byte = 0; byte < 256; byte++) {
      const target = step(node, byte);
      const last = found[found.length - 1];
      if (nodes[target].isWhole) continue;
      if (last?.to === byte - 1 && last.target === target) last.to = byte;
      else found.push({ from: byte, to: byte, target });
    }
    return found;
  });
  return { edges, finals: nodes.map(() => true) };
}
