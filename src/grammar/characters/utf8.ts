/** Automata over code points as automata over the bytes of their UTF-8. */
import type { ByteDfa, ByteEdge } from "../expression.js";
import { MOST_BYTE_EDGES, MOST_BYTE_STATES, tooLarge } from "../limits.js";
import type { CharDfa, CharEdge } from "./dfa.js";

/** The code points of each number of bytes and what their first byte adds to the bits it holds. */
const LENGTHS = [
  { from: 0, to: 0x7f, continuations: 0, marker: 0 },
  { from: 0x80, to: 0x7ff, continuations: 1, marker: 0xc0 },
  { from: 0x800, to: 0xffff, continuations: 2, marker: 0xe0 },
  { from: 0x10000, to: 0x10ffff, continuations: 3, marker: 0xf0 },
] as const;

/** A byte automaton under construction. States 0 to `reserved` - 1 stand for those of another. */
export class ByteStates {
  readonly #edges: ByteEdge[][];
  readonly #names = new Map<string, number>();
  #edgeCount = 0;

  constructor(reserved: number) {
    this.#edges = Array.from({ length: reserved }, () => []);
  }

  /** The state that has these edges: another with the same ones, or a new one. */
  stateOf(edges: readonly ByteEdge[]): number {
    const key = edges.map(({ from, to, target }) => `${from}-${to}:${target}`).join(" ");
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const state = this.#edges.push([]) - 1;
    this.#names.set(key, state);
    this.setEdges(state, edges);
    return state;
  }

  setEdges(state: number, edges: readonly ByteEdge[]): void {
    this.#edges[state] = [...edges];
    this.#edgeCount += edges.length;
    if (this.#edges.length > MOST_BYTE_STATES || this.#edgeCount > MOST_BYTE_EDGES) {
      throw tooLarge(`an automaton of more than ${MOST_BYTE_STATES} states over bytes`);
    }
  }

  /** The finished automaton; only reserved states are final. */
  toDfa(finals: readonly boolean[]): ByteDfa {
    return { edges: this.#edges, finals: this.#edges.map((_, state) => finals[state] ?? false) };
  }
}

/** Results, as some automata are used again and again. */
const encoded = new WeakMap<CharDfa, ByteDfa>();

/** The UTF-8 of the texts of an automaton. */
export function toUtf8(dfa: CharDfa): ByteDfa {
  const result = encoded.get(dfa) ?? encode(dfa);
  encoded.set(dfa, result);
  return result;
}

function encode(dfa: CharDfa): ByteDfa {
  // The UTF-8 of ASCII is as it is.
  if (dfa.edges.every((edges) => (edges.at(-1)?.to ?? 0) < 0x80)) return dfa;
  const states = new ByteStates(dfa.edges.length);
  dfa.edges.forEach((edges, state) => {
    states.setEdges(state, utf8Edges(edges, states));
  });
  return states.toDfa(dfa.finals);
}

/** The edges over first bytes that stand for edges over code points. */
export function utf8Edges(edges: readonly CharEdge[], states: ByteStates): ByteEdge[] {
  return LENGTHS.flatMap(({ from, to, continuations, marker }) => {
    const blocks = split(clip(edges, from, to), 0, continuations, states);
    return blocks.map((block) => ({
      from: block.from + marker,
      to: block.to + marker,
      target: block.target,
    }));
  });
}

/** The parts of sorted edges within two code points. */
function clip(edges: readonly CharEdge[], from: number, to: number): CharEdge[] {
  return edges
    .filter((edge) => edge.from <= to && edge.to >= from)
    .map((edge) => ({ ...edge, from: Math.max(edge.from, from), to: Math.min(edge.to, to) }));
}

/**
 * The edges over the byte that tells which block of 64 ** `continuations` code points, counted
 * from `start`, a code point lies in: each leads to the state of the block's remaining bytes.
 */
function split(
  edges: readonly CharEdge[],
  start: number,
  continuations: number,
  states: ByteStates,
): ByteEdge[] {
  const size = 64 ** continuations;
  const blockOf = (code: number): number => Math.floor((code - start) / size);
  const result: { from: number; to: number; target: number }[] = [];
  const add = (from: number, to: number, target: number): void => {
    const last = result.at(-1);
    if (last !== undefined && last.to + 1 === from && last.target === target) last.to = to;
    else result.push({ from, to, target });
  };
  const rest = (inBlock: readonly CharEdge[], block: number): number => {
    if (continuations === 0) return inBlock[0].target;
    const next = split(inBlock, start + block * size, continuations - 1, states);
    return states.stateOf(
      next.map((edge) => ({ ...edge, from: edge.from + 0x80, to: edge.to + 0x80 })),
    );
  };
  for (let i = 0, next = 0; i < edges.length; ) {
    const block = Math.max(next, blockOf(edges[i].from));
    const first = start + block * size;
    const isWhole = edges[i].from <= first && edges[i].to >= first + size - 1;
    // All blocks that one edge covers look the same.
    next = isWhole ? blockOf(edges[i].to + 1) : block + 1;
    let end = i;
    while (end < edges.length && edges[end].from < first + size) end++;
    add(block, next - 1, rest(clip(edges.slice(i, end), first, first + size - 1), block));
    while (i < edges.length && edges[i].to < start + next * size) i++;
  }
  return result;
}
