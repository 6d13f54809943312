/** The nodes of a prefix tree, each with its children in the order of their rows. */
import type { Block } from "./sequence.js";

/** Rows one after another, by the token and the kind (src/cache/row-kinds.ts) of each. */
export interface Rows {
  /** u32[n] */
  readonly tokens: Uint32Array;
  /** u8[n] */
  readonly kinds: Uint8Array;
}

/** A node and its pages. Only a node whose block is full has children. */
export interface PrefixNode extends Rows {
  /** Undefined for the root, which has no rows. */
  readonly parent: PrefixNode | undefined;
  readonly block: Block;
  /** Sorted by `isBefore`. None has rows that another begins with. */
  readonly children: PrefixNode[];
}

/** The first index from `lo` to `hi` whose node no longer passes; those that pass come first. */
export function partition(
  nodes: readonly PrefixNode[],
  lo: number,
  hi: number,
  passes: (node: PrefixNode) => boolean,
): number {
  while (lo < hi) {
    const middle = (lo + hi) >> 1;
    if (passes(nodes[middle])) lo = middle + 1;
    else hi = middle;
  }
  return lo;
}

/** Whether rows sort before others: row by row, by token and then by kind. */
export function isBefore(rows: Rows, others: Rows): boolean {
  const row = firstDifference(rows, others);
  if (row === others.tokens.length) return false;
  if (row === rows.tokens.length) return true;
  const difference = rows.tokens[row] - others.tokens[row];
  return difference < 0 || (difference === 0 && rows.kinds[row] < others.kinds[row]);
}

/** Whether rows are the same as others, or begin with them. */
export function beginsWith(rows: Rows, others: Rows): boolean {
  return firstDifference(rows, others) === others.tokens.length;
}

/** The first row that differs, or that one of the two does not have. */
function firstDifference(rows: Rows, others: Rows): number {
  const end = Math.min(rows.tokens.length, others.tokens.length);
  let row = 0;
  while (
    row < end &&
    rows.tokens[row] === others.tokens[row] &&
    rows.kinds[row] === others.kinds[row]
  ) {
    row++;
  }
  return row;
}
