/** Where chunks of streamed layers lie between reading and packing, and how threads pack them. */
import type { Kernels } from "../kernels/kernels.js";
import type { Member } from "../kernels/team.js";
import { type PlmWeights, tensorBytes, weightsOf } from "../model/weights.js";
import { type Chunk, chunksInOrder, rowUnit, stagedBytes } from "./chunks.js";
import { Packer, packerBytes } from "./pack.js";

/** Of the two slots, one is read into while the other is packed. */
const SLOTS = 2;

/** Chunks are reads of about this many bytes: all threads pack each of them together. */
const MOST_CHUNK_BYTES = 4 << 20;
const LEAST_CHUNK_BYTES = 1 << 18;

/** A small layer comes in about so many chunks. */
const CHUNKS = 6;

/** Bytes of a word for what packing found, alone in its cache line. */
const FOUND_BYTES = 64;

/** Two slots, a word, and each thread's work space. Every thread computes the same plan. */
export class WindowStaging {
  /** The chunks of all streamed layers, layer by layer, each layer's in the order of the file. */
  readonly chunks: readonly Chunk[];
  /** Bytes from basePtr to the end. */
  readonly bytes: number;
  readonly foundPtr: number;
  readonly #basePtr: number;
  readonly #slotBytes: number;
  readonly #packerBytes: number;
  readonly #ranges = new Map<number, readonly [first: number, end: number]>();

  constructor(weights: PlmWeights, threads: number, basePtr: number) {
    const chunks: Chunk[] = [];
    for (const layer of weights.streamed) {
      const first = chunks.length;
      chunks.push(...chunksOfLayer(weights, layer));
      this.#ranges.set(layer, [first, chunks.length]);
    }
    this.chunks = chunks;
    this.foundPtr = basePtr;
    this.#basePtr = basePtr + FOUND_BYTES;
    this.#slotBytes = chunks.reduce((most, chunk) => Math.max(most, stagedBytes(chunk)), 0);
    this.#packerBytes = packerBytes(weights);
    const bytes = FOUND_BYTES + SLOTS * this.#slotBytes + threads * this.#packerBytes;
    this.bytes = chunks.length > 0 ? bytes : 0;
  }

  /** The chunks of a streamed layer: [first, end). */
  range(layer: number): readonly [first: number, end: number] {
    return this.#ranges.get(layer)!;
  }

  /** Where the chunk that is read `count`th is staged. */
  slotPtr(count: number): number {
    return this.#basePtr + (count % SLOTS) * this.#slotBytes;
  }

  /** Address of thread `index`'s work space. */
  workPtr(index: number): number {
    return this.#basePtr + SLOTS * this.#slotBytes + index * this.#packerBytes;
  }
}

function chunksOfLayer(weights: PlmWeights, layer: number): Chunk[] {
  const own = weightsOf(weights.layers[layer]);
  const bytes = tensorBytes(own) / CHUNKS;
  return chunksInOrder(own, Math.max(LEAST_CHUNK_BYTES, Math.min(bytes, MOST_CHUNK_BYTES)));
}

/** The parts of a thread that packs. */
export interface WindowPackerParts {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  readonly member: Member;
}

/** One thread's part of packing chunks into the window. */
export class WindowPacker {
  readonly #staging: WindowStaging;
  readonly #member: Member;
  readonly #packer: Packer;
  readonly #found: Int32Array;

  constructor({ kernels, memory, member }: WindowPackerParts, staging: WindowStaging) {
    this.#staging = staging;
    this.#member = member;
    this.#packer = new Packer(kernels, memory, staging.workPtr(member.index));
    this.#found = new Int32Array(memory.buffer, staging.foundPtr, 1);
  }

  /** Packs this thread's share of chunk `i`, which was read `count`th. */
  pack(i: number, count: number): void {
    const chunk = this.#staging.chunks[i];
    const { weight, rowBytes } = chunk;
    const [first, end] = this.#member.share(chunk.rows, rowUnit(weight));
    if (first < end) {
      const share = { ...chunk, firstRow: chunk.firstRow + first, rows: end - first };
      const bad = this.#packer.pack(share, this.#staging.slotPtr(count) + first * rowBytes);
      Atomics.or(this.#found, 0, bad);
    }
    this.#member.join();
  }

  /** What all threads have found since the last call, as checkPacked takes it. */
  takeFound(): number {
    return Atomics.exchange(this.#found, 0, 0);
  }
}
