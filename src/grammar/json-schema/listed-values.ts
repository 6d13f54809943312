/** Listed values: JSON.stringify's text of scalars, with any spaces in arrays and objects. */

import { requireGlobal } from "../../globals.js";
import { bytesOf, choice, sequence } from "../build.js";
import type { ByteEdge, Expression } from "../expression.js";
import { tooLarge } from "../limits.js";
import { isObject } from "./document.js";
import { SPACE } from "./json-text.js";

const MOST_STATES = 1_000_000;

export function valuesExpression(values: readonly unknown[]): Expression {
  const scalars = values.filter((value) => typeof value !== "object" || value === null);
  const others = values.filter((value) => typeof value === "object" && value !== null);
  const texts = scalars.map((value) => JSON.stringify(value));
  return choice([...(texts.length > 0 ? [textsExpression(texts)] : []), ...others.map(written)]);
}

function written(value: unknown): Expression {
  if (Array.isArray(value)) return enclosed("[", value.map(written), "]");
  if (!isObject(value)) return bytesOf(JSON.stringify(value));
  const members = Object.entries(value).map(([key, item]) =>
    sequence(bytesOf(`${JSON.stringify(key)}:`), SPACE, written(item)),
  );
  return enclosed("{", members, "}");
}

function enclosed(open: string, parts: readonly Expression[], close: string): Expression {
  const comma = bytesOf(",");
  const separated = parts.flatMap((part, i) => [...(i > 0 ? [comma] : []), SPACE, part]);
  return sequence(bytesOf(open), ...separated, SPACE, bytesOf(close));
}

/** Any one of some texts. */
export function textsExpression(texts: readonly string[]): Expression {
  if (texts.length === 1) return bytesOf(texts[0]);
  const encoder = new (requireGlobal("TextEncoder"))();
  const nodes: Map<number, number>[] = [new Map()];
  const finals = [false];
  for (const text of texts) {
    let node = 0;
    for (const byte of encoder.encode(text)) {
      let next = nodes[node].get(byte);
      if (next === undefined) {
        next = nodes.push(new Map()) - 1;
        finals.push(false);
        nodes[node].set(byte, next);
      }
      node = next;
    }
    if (nodes.length > MOST_STATES) throw tooLarge("too many listed values");
    finals[node] = true;
  }
  return { kind: "dfa", dfa: withSharedEnds(nodes, finals) };
}

/** A tree of bytes as an automaton in which equal ends are one. */
function withSharedEnds(
  nodes: readonly ReadonlyMap<number, number>[],
  finals: readonly boolean[],
): { edges: ByteEdge[][]; finals: boolean[] } {
  const names = new Map<string, number>();
  const same: number[] = [];
  // A node's children come after it.
  for (let node = nodes.length - 1; node >= 0; node--) {
    const children = Array.from(nodes[node], ([byte, child]) => `${byte}:${same[child]}`);
    const key = `${finals[node]} ${children.sort().join(" ")}`;
    if (!names.has(key)) names.set(key, node);
    same[node] = names.get(key)!;
  }
  const states = new Map([[same[0], 0]]);
  const edges: ByteEdge[][] = [];
  for (const node of states.keys()) {
    const own = Array.from(nodes[node], ([byte, child]) => {
      if (!states.has(same[child])) states.set(same[child], states.size);
      return { from: byte, to: byte, target: states.get(same[child])! };
    });
    edges.push(own.sort((a, b) => a.from - b.from));
  }
  return { edges, finals: Array.from(states.keys(), (node) => finals[node]) };
}
