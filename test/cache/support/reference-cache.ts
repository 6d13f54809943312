/**
 * The cache's slow reference: sequences and the tree as lists of blocks, each with the history that
 * ends with it, and rules that look at all of them. Numbers of pages are those of one layer.
 */
import { PAGE_ROWS } from "../../../src/kernels/packed.js";
import { rowsOf } from "./rows.js";

/** A block's pages. */
interface ReferenceBlock {
  /** The history up to its end, if the tree keeps it. */
  key: string | undefined;
  holders: number;
  /** When it was last used. */
  time: number;
}

export interface ReferenceSequence {
  history: string;
  readonly blocks: ReferenceBlock[];
}

export class ReferenceCache {
  readonly #count: number;
  #blocks: ReferenceBlock[] = [];
  #now = 0;

  constructor(count: number) {
    this.#count = count;
  }

  get used(): number {
    return this.#blocks.filter(({ holders }) => holders > 0).length;
  }

  get kept(): number {
    return this.#blocks.length - this.used;
  }

  get free(): number {
    return this.#count - this.#blocks.length;
  }

  /** The blocks that the tree keeps, in the order of their rows. */
  get keys(): string[] {
    return this.#blocks.flatMap(({ key }) => key ?? []).sort();
  }

  create(history = "", blocks: readonly ReferenceBlock[] = []): ReferenceSequence {
    for (const block of blocks) block.holders++;
    return { history, blocks: [...blocks] };
  }

  truncate(sequence: ReferenceSequence, length: number): void {
    sequence.history = sequence.history.slice(0, length);
    const rest = sequence.blocks.splice(Math.ceil(length / PAGE_ROWS));
    this.#step();
    for (const block of rest) this.#release(block);
  }

  /** Pages that appending n rows takes, if there are as many. */
  needed({ history, blocks }: ReferenceSequence, n: number): number {
    const missing = Math.ceil((history.length + n) / PAGE_ROWS) - blocks.length;
    return missing + (isLastShared({ history, blocks }) ? 1 : 0);
  }

  /** Whether there is room for n rows, if need be without the tree's share of the last block. */
  fits(sequence: ReferenceSequence, n: number, spare = 0): boolean {
    const isEvictable = isLastShared(sequence) && sequence.blocks.at(-1)!.holders === 1;
    const saved = isEvictable ? 1 : 0;
    return this.needed(sequence, n) - saved + spare <= this.free + this.kept;
  }

  /** Appends rows; false, and nothing changes, where there is no room. */
  append(sequence: ReferenceSequence, rows: string): boolean {
    const last = sequence.blocks.at(-1);
    this.#step();
    if (!this.fits(sequence, rows.length)) return false;
    if (this.needed(sequence, rows.length) > this.free + this.kept) this.#evict(last!);
    while (this.free < this.needed(sequence, rows.length)) this.#evictOldest();
    if (isLastShared(sequence)) {
      sequence.blocks[sequence.blocks.length - 1] = this.#take();
      this.#release(last!);
    }
    sequence.history += rows;
    const end = Math.ceil(sequence.history.length / PAGE_ROWS);
    while (sequence.blocks.length < end) sequence.blocks.push(this.#take());
    return true;
  }

  /** Keeps the first `length` rows of a sequence. */
  insert({ history, blocks }: ReferenceSequence, length: number): void {
    this.#step();
    for (let first = 0; first < length; first += PAGE_ROWS) {
      const index = first / PAGE_ROWS;
      const key = history.slice(0, Math.min(length, first + PAGE_ROWS));
      const same = this.keys.find((each) => isSibling(each, key) && each.startsWith(key));
      const shorter = this.keys.find((each) => isSibling(each, key) && key.startsWith(each));
      if (same !== undefined) {
        const block = this.#kept(same);
        block.holders++;
        this.#release(blocks[index]);
        blocks[index] = block;
      } else {
        if (shorter !== undefined) this.#evict(this.#kept(shorter));
        blocks[index].key = key;
      }
    }
  }

  /** The longest history that begins with these tokens and kinds, and its blocks; used now. */
  match(tokens: Uint32Array, kinds: Uint8Array): ReferenceSequence {
    const found = this.keys.map((key) => {
      const rows = rowsOf(key);
      const differs = rows.tokens.findIndex(
        (token, i) => token !== tokens[i] || (i < kinds.length && rows.kinds[i] !== kinds[i]),
      );
      return key.slice(0, differs < 0 ? key.length : differs);
    });
    const prefilled = (history: string): number =>
      rowsOf(history).kinds.filter((kind) => kind < 2).length;
    found.sort(
      (a, b) => b.length - a.length || prefilled(b) - prefilled(a) || (a < b ? -1 : a > b ? 1 : 0),
    );
    const history = found[0] ?? "";
    const blocks: ReferenceBlock[] = [];
    this.#step();
    for (let first = 0; first < history.length; first += PAGE_ROWS) {
      const part = history.slice(0, first + PAGE_ROWS);
      const key = this.keys.find((each) => isSibling(each, part) && each.startsWith(part))!;
      blocks.push(this.#kept(key));
    }
    for (const block of blocks) if (block.holders === 0) block.time = this.#now;
    return { history, blocks };
  }

  clear(): void {
    for (const key of this.keys) if (key.length <= PAGE_ROWS) this.#evict(this.#kept(key));
  }

  #step(): void {
    this.#now++;
  }

  #kept(key: string): ReferenceBlock {
    return this.#blocks.find((block) => block.key === key)!;
  }

  #take(): ReferenceBlock {
    const block = { key: undefined, holders: 1, time: 0 };
    this.#blocks.push(block);
    return block;
  }

  #release(block: ReferenceBlock): void {
    block.holders--;
    block.time = this.#now;
    this.#forgetUnused();
  }

  #forgetUnused(): void {
    this.#blocks = this.#blocks.filter(({ key, holders }) => key !== undefined || holders > 0);
  }

  /** Of the blocks that nothing holds and nothing follows, that whose use is the longest ago. */
  #evictOldest(): void {
    const { keys } = this;
    const leaves = this.#blocks.filter(
      ({ key, holders }) =>
        holders === 0 && !keys.some((each) => each !== key && follows(each, key!)),
    );
    leaves.sort((a, b) => a.time - b.time);
    this.#evict(leaves[0]);
  }

  /** The tree no longer keeps a block, nor what follows it. */
  #evict({ key }: ReferenceBlock): void {
    for (const block of this.#blocks) {
      if (block.key !== undefined && follows(block.key, key!)) block.key = undefined;
    }
    this.#forgetUnused();
  }
}

function isLastShared({ history, blocks }: ReferenceSequence): boolean {
  const last = blocks.at(-1);
  return history.length % PAGE_ROWS > 0 && (last!.holders > 1 || last!.key !== undefined);
}

/** Whether two blocks follow the same rows. */
function isSibling(a: string, b: string): boolean {
  const first = (key: string): number => Math.ceil(key.length / PAGE_ROWS) - 1;
  return (
    first(a) === first(b) && a.slice(0, first(a) * PAGE_ROWS) === b.slice(0, first(b) * PAGE_ROWS)
  );
}

/** Whether a block is the other or comes after it. */
function follows(key: string, other: string): boolean {
  return key === other || (other.length % PAGE_ROWS === 0 && key.startsWith(other));
}
