/** The search for the longest path in a prefix tree that begins as a sequence does. */
import { PAGE_ROWS } from "../kernels/packed.js";
import { type PrefixNode, partition } from "./prefix-node.js";
import { isPrefilled } from "./row-kinds.js";

/** What is searched for. */
export interface PrefixQuery {
  /** The tokens, u32[n]. */
  readonly tokens: Uint32Array;
  /** Most rows to find, at most n. */
  readonly most: number;
  /** The kinds that the first rows must have, u8[k]; the others may have any. */
  readonly kinds?: Uint8Array | undefined;
}

/** A path: all rows of the nodes above `node`, and so many of its own that there are `length`. */
export interface PrefixPath {
  readonly node: PrefixNode;
  readonly length: number;
}

/**
 * The children [lo, hi) of a node, which agree in their first `row` rows: these and the rows above
 * them are the first `length` that are searched for.
 */
interface Branch {
  readonly parent: PrefixNode;
  readonly lo: number;
  readonly hi: number;
  readonly row: number;
  readonly length: number;
  /** Rows of `length` that were computed in prefill. */
  readonly prefilled: number;
}

/**
 * The longest path. Of several, which differ in kinds, the one with the most prefilled rows; of
 * these the one whose kinds are the lowest where they first differ.
 */
export function findLongestPath(root: PrefixNode, query: PrefixQuery): PrefixPath {
  let best = below(root, 0, 0);
  const open = [best];
  for (let branch = open.pop(); branch !== undefined; branch = open.pop()) {
    const longer = extend(branch, query);
    // The last is searched first.
    open.push(...longer.reverse());
    if (longer.length === 0 && isBetter(branch, best)) best = branch;
  }
  const { parent, lo, row, length } = best;
  return { node: row === 0 ? parent : parent.children[lo], length };
}

function isBetter(branch: Branch, best: Branch): boolean {
  if (branch.length !== best.length) return branch.length > best.length;
  return branch.prefilled > best.prefilled;
}

/** All children of a node. */
function below(parent: PrefixNode, length: number, prefilled: number): Branch {
  return { parent, lo: 0, hi: parent.children.length, row: 0, length, prefilled };
}

/** The parts of a branch that also agree in the next row: one for each kind, lowest first. */
function extend(branch: Branch, { tokens, most, kinds }: PrefixQuery): Branch[] {
  const { parent, length, prefilled } = branch;
  if (length === most) return [];
  if (branch.row === PAGE_ROWS) {
    return [below(parent.children[branch.lo], length, prefilled)];
  }
  const { children } = parent;
  const { row } = branch;
  const token = tokens[length];
  // A child that does not have this row is the branch's only one.
  let lo = partition(children, branch.lo, branch.hi, (node) => node.tokens[row] < token);
  const end = partition(children, lo, branch.hi, (node) => node.tokens[row] === token);
  const parts: Branch[] = [];
  while (lo < end) {
    const kind = children[lo].kinds[row];
    const hi = partition(children, lo, end, (node) => node.kinds[row] === kind);
    const counts = { length: length + 1, prefilled: prefilled + (isPrefilled(kind) ? 1 : 0) };
    if (kinds === undefined || length >= kinds.length || kinds[length] === kind) {
      parts.push({ parent, lo, hi, row: row + 1, ...counts });
    }
    lo = hi;
  }
  return parts;
}
