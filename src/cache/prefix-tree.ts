/**
 * The rows of earlier sequences, for later ones that begin with the same tokens: a prefix tree over
 * pages (SGLang's radix cache). A node is a block, up to 64 tokens with their rows in all layers;
 * its children follow it. The pool evicts blocks when it needs room: those that no sequence holds
 * (SGLang: that are not locked), least recently used first. These are leaves, as what holds a block
 * holds those above it.
 */
import { PAGE_ROWS } from "../kernels/packed.js";
import type { PagePool } from "./pages.js";
import { beginsWith, isBefore, type PrefixNode, partition, type Rows } from "./prefix-node.js";
import { findLongestPath, type PrefixQuery } from "./prefix-search.js";
import { RESTORED } from "./row-kinds.js";
import type { Block, CacheSequence } from "./sequence.js";

/** Rows that are there already. */
export interface PrefixMatch {
  readonly length: number;
  /** The kind of each, u8[length]. */
  readonly kinds: Uint8Array;
  /** Where they are, for `CacheSequence.adopt`; until pages are taken from the pool. */
  readonly blocks: readonly Block[];
}

export class PrefixTree {
  readonly #pool: PagePool;
  readonly #root: PrefixNode = createNode(undefined, [], new Uint32Array(0), new Uint8Array(0));
  /** The node that each page belongs to. */
  readonly #nodes: (PrefixNode | undefined)[];
  #pages = 0;

  /** An empty tree. A pool has one at most. */
  constructor(pool: PagePool) {
    this.#pool = pool;
    this.#nodes = new Array(pool.count);
    pool.evictWith((page) => this.#evict(this.#nodes[page]!));
  }

  /** Pages that it keeps. */
  get pages(): number {
    return this.#pages;
  }

  /**
   * The longest path of rows that begins with these tokens. Its last block may match in part. Of
   * equally long paths, which differ in kinds, the one with the most prefilled rows. Marks the path
   * as used.
   */
  match(query: PrefixQuery): PrefixMatch {
    const { node, length } = findLongestPath(this.#root, query);
    const path = pathFrom(node);
    // The last first, so that no block is evicted before those that follow it.
    for (const { block } of path) for (const page of block) this.#pool.touch(page);
    path.reverse();
    const kinds = new Uint8Array(length);
    for (const [i, { kinds: own }] of path.entries()) {
      kinds.set(own.subarray(0, length - i * PAGE_ROWS), i * PAGE_ROWS);
    }
    return { length, kinds, blocks: path.map(({ block }) => block) };
  }

  /**
   * Keeps a sequence's pages. Where the tree has equal rows, the sequence then holds the tree's
   * pages in place of its own, as in SGLang. A last block that is not full is kept only if the
   * sequence has ended: one that goes on would copy it when it next writes. The block of the first
   * row that was restored, and those after it, are not kept.
   *
   *   tokens   u32[n]   of the sequence's rows; may be longer
   *   kinds    u8[n]    of the sequence's rows; may be longer
   */
  insert(sequence: CacheSequence, { tokens, kinds }: Rows, hasEnded: boolean): void {
    const restored = kinds.subarray(0, sequence.length).indexOf(RESTORED);
    const known = restored < 0 ? sequence.length : restored;
    const isWhole = hasEnded && known === sequence.length;
    const length = isWhole ? known : known - (known % PAGE_ROWS);
    let node = this.#root;
    for (let first = 0; first < length; first += PAGE_ROWS) {
      const end = Math.min(first + PAGE_ROWS, length);
      const rows = { tokens: tokens.subarray(first, end), kinds: kinds.subarray(first, end) };
      const index = first / PAGE_ROWS;
      node = this.#find(node, rows) ?? this.#add(node, rows, sequence.block(index));
      sequence.exchange(index, node.block);
    }
  }

  /** Keeps nothing any more. */
  clear(): void {
    for (const node of this.#root.children.slice()) this.#evict(node);
  }

  /** The child that has these rows, and maybe more. */
  #find({ children }: PrefixNode, rows: Rows): PrefixNode | undefined {
    const found = children[placeOf(children, rows)];
    return found !== undefined && beginsWith(found, rows) ? found : undefined;
  }

  /** Adds a child, in place of one that has only the first of its rows. */
  #add(parent: PrefixNode, { tokens, kinds }: Rows, block: Block): PrefixNode {
    const { children } = parent;
    const node = createNode(parent, block, tokens.slice(), kinds.slice());
    const shorter = children[placeOf(children, node) - 1];
    if (shorter !== undefined && beginsWith(node, shorter)) this.#evict(shorter);
    children.splice(placeOf(children, node), 0, node);
    for (const page of block) {
      this.#pool.keep(page);
      this.#nodes[page] = node;
    }
    this.#pages += block.length;
    return node;
  }

  /** Removes a node and all below it. */
  #evict(node: PrefixNode): void {
    const { children } = node.parent!;
    children.splice(placeOf(children, node), 1);
    const removed = [node];
    for (const { block, children } of removed) {
      for (const page of block) {
        this.#nodes[page] = undefined;
        this.#pool.discard(page);
      }
      this.#pages -= block.length;
      for (const child of children) removed.push(child);
    }
  }
}

function createNode(
  parent: PrefixNode | undefined,
  block: Block,
  tokens: Uint32Array,
  kinds: Uint8Array,
): PrefixNode {
  return { parent, block, tokens, kinds, children: [] };
}

/** A node and those above it, without the root. */
function pathFrom(node: PrefixNode): PrefixNode[] {
  const path: PrefixNode[] = [];
  for (let each = node; each.parent !== undefined; each = each.parent) path.push(each);
  return path;
}

/** Where rows are, or belong, among children. */
function placeOf(children: readonly PrefixNode[], rows: Rows): number {
  return partition(children, 0, children.length, (child) => isBefore(child, rows));
}
