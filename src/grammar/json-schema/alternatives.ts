/** Schemas that hold together, without choices: the ways in which all of them can hold. */
import { Budget } from "../limits.js";
import { negate } from "./negate.js";
import {
  ALL_TYPES,
  type ArrayRule,
  type Choice,
  type NumberRule,
  type ObjectRule,
  type Rules,
  refuse,
  type SchemaNode,
  type StringRule,
} from "./node.js";

/** What holds together: rules of all nodes, none of which has choices. */
export interface Alternative {
  readonly nodes: readonly SchemaNode[];
  readonly types: number;
  /** Whether a schema says which types. */
  readonly isTyped: boolean;
  readonly numbers: readonly NumberRule[];
  readonly strings: readonly StringRule[];
  readonly objects: readonly ObjectRule[];
  readonly arrays: readonly ArrayRule[];
  /** Nodes that list values. */
  readonly listing: readonly SchemaNode[];
  readonly inexpressible: readonly SchemaNode[];
}

const MOST_ALTERNATIVES = 1000;

/** Tells two options apart: whether a value may satisfy all of the nodes. */
export type MayHold = (nodes: readonly SchemaNode[]) => boolean;

/** Nodes under collection, and the choices that are still open. */
interface Open {
  readonly nodes: Set<SchemaNode>;
  /** Those that have been looked into. */
  readonly seen: Set<SchemaNode>;
  readonly choices: readonly Choice[];
  readonly types: number;
}

export class Alternatives {
  readonly #mayHold: MayHold;
  readonly #budget = new Budget();
  readonly #acyclic = new Set<SchemaNode>();
  readonly #exclusive = new Map<Choice, readonly (readonly SchemaNode[])[]>();

  constructor(mayHold: MayHold) {
    this.#mayHold = mayHold;
  }

  /** The ways in which all nodes can hold; none if their types contradict each other. */
  of(nodes: readonly SchemaNode[]): Alternative[] {
    for (const node of nodes) this.#checkCircles(node);
    const found: Alternative[] = [];
    const open = [
      this.#add({ nodes: new Set(), seen: new Set(), choices: [], types: ALL_TYPES }, nodes),
    ];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next.types === 0) continue;
      const [choice, ...choices] = next.choices;
      if (choice === undefined) {
        found.push(merge(next.nodes));
        continue;
      }
      if (found.length + open.length > MOST_ALTERNATIVES) {
        throw refuse(choice.keyword, choice.place, `more than ${MOST_ALTERNATIVES} combinations`);
      }
      const options = choice.isExclusive ? this.#apart(choice) : choice.options;
      // The last is looked at first.
      for (const option of [...options].reverse()) {
        open.push(this.#add({ ...next, choices }, option));
      }
    }
    return found;
  }

  /** Adds nodes, and the schemas and choices that they consist of. */
  #add(to: Open, nodes: readonly SchemaNode[]): Open {
    const all = new Set(to.nodes);
    const choices = [...to.choices];
    const seen = new Set(to.seen);
    const open = new Set(nodes);
    let { types } = to;
    for (const node of open) {
      if (seen.has(node)) continue;
      seen.add(node);
      const { all: others = [], choices: own = [], types: ownTypes } = node.rules;
      types &= ownTypes;
      this.#budget.spend(1 + others.length + own.length);
      for (const other of others) open.add(other);
      choices.push(...own);
      all.add(node.core);
    }
    return { nodes: all, seen, choices, types };
  }

  /** The options of which one alone holds: each without those that may hold beside it. */
  #apart(choice: Choice): readonly (readonly SchemaNode[])[] {
    const known = this.#exclusive.get(choice);
    if (known !== undefined) return known;
    const { options } = choice;
    const result = options.map((option) => [...option]);
    options.forEach((option, i) => {
      for (let j = i + 1; j < options.length; j++) {
        this.#budget.spend(20);
        if (!this.#mayHold([...option, ...options[j]])) continue;
        // An option of a oneOf is one schema.
        result[i].push(negate(options[j][0]));
        result[j].push(negate(option[0]));
      }
    });
    this.#exclusive.set(choice, result);
    return result;
  }

  /** Refuses a schema that would have to hold for itself to hold. */
  #checkCircles(start: SchemaNode): void {
    const above = new Set<SchemaNode>();
    const open: { readonly node: SchemaNode; isEntered: boolean }[] = [
      { node: start, isEntered: false },
    ];
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const { node } = top;
      if (top.isEntered) {
        above.delete(node);
        this.#acyclic.add(node);
        open.pop();
      } else if (this.#acyclic.has(node)) open.pop();
      else if (above.has(node)) throw refuse("$ref", node.place, "a schema that refers to itself");
      else {
        top.isEntered = true;
        above.add(node);
        for (const next of parts(node)) open.push({ node: next, isEntered: false });
      }
    }
  }
}

/** The other schemas that a value must satisfy, or not, for a schema to hold. */
function parts(node: SchemaNode): readonly SchemaNode[] {
  if (node.negated !== undefined) return [node.negated];
  const { all = [], choices = [] } = node.rules;
  return [...all, ...choices.flatMap(({ options }) => options.flat())];
}

function merge(set: ReadonlySet<SchemaNode>): Alternative {
  const nodes = [...set].sort((a, b) => a.id - b.id);
  const rules = nodes.map((node): Rules => node.rules);
  return {
    nodes,
    types: rules.reduce((types, own) => types & own.types, ALL_TYPES),
    isTyped: rules.some(({ types }) => types !== ALL_TYPES),
    numbers: rules.flatMap(({ numbers = [] }) => numbers),
    strings: rules.flatMap(({ strings = [] }) => strings),
    objects: rules.flatMap(({ objects = [] }) => objects),
    arrays: rules.flatMap(({ arrays = [] }) => arrays),
    listing: nodes.filter((node) => node.rules.values !== undefined),
    inexpressible: nodes.filter((node) => node.rules.inexpressible !== undefined),
  };
}
