/**
 * Where chunks lie between reading and packing, and what helper threads do to pack them.
 */
import type { Kernels } from "../kernels/kernels.js";
import { eachResident, type PlmWeights } from "../model/weights.js";
import { ChunkQueue, MOST_SLOTS } from "./chunk-queue.js";
import { type Chunk, planChunks, stagedBytes } from "./chunks.js";
import { Packer, packerBytes } from "./pack.js";

/** The most that staging aims at; it has at least two slots. */
const STAGING_BYTES = 32 << 20;

/** Slots besides those being packed: with few, one late thread makes the others wait. */
const SPARE_SLOTS = 6;

/** Slots for chunks, then each thread's work space. Every thread computes the same plan. */
export class Staging {
  readonly chunks: readonly Chunk[];
  readonly slots: number;
  /** Threads that pack, including the caller's. */
  readonly packers: number;
  /** Bytes from basePtr to the end. */
  readonly bytes: number;
  readonly #basePtr: number;
  readonly #slotBytes: number;
  readonly #packerBytes: number;

  constructor(weights: PlmWeights, threads: number, basePtr: number) {
    this.chunks = planChunks([...eachResident(weights)]);
    this.#basePtr = basePtr;
    this.#slotBytes = this.chunks.reduce((most, chunk) => Math.max(most, stagedBytes(chunk)), 0);
    const fitting = Math.min(Math.floor(STAGING_BYTES / this.#slotBytes), MOST_SLOTS);
    this.slots = Math.max(2, Math.min(threads === 1 ? 2 : threads + SPARE_SLOTS, fitting));
    // One slot is being read into.
    this.packers = Math.min(threads, this.slots - 1);
    this.#packerBytes = packerBytes(weights);
    this.bytes = this.slots * this.#slotBytes + this.packers * this.#packerBytes;
  }

  /** Where chunk `i` is staged. */
  slotPtr(i: number): number {
    return this.#basePtr + (i % this.slots) * this.#slotBytes;
  }

  /** Address of packer `index`'s work space. */
  workPtr(index: number): number {
    return this.#basePtr + this.slots * this.#slotBytes + index * this.#packerBytes;
  }
}

/** Where weights are packed, and with which kernels. */
export interface PackTarget {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  /** QUEUE_BYTES, and Staging's bytes. */
  readonly queuePtr: number;
  readonly stagingPtr: number;
  /** Threads that may pack. */
  readonly threads: number;
}

/** The parts of a packing thread. */
export interface PackParts {
  readonly staging: Staging;
  readonly queue: ChunkQueue;
  readonly packer: Packer;
}

/** The parts of thread `index`. */
export function packParts(weights: PlmWeights, target: PackTarget, index: number): PackParts {
  const { kernels, memory, queuePtr, stagingPtr, threads } = target;
  const staging = new Staging(weights, threads, stagingPtr);
  const queue = new ChunkQueue(memory, queuePtr, staging.chunks.length, staging.slots);
  return { staging, queue, packer: new Packer(kernels, memory, staging.workPtr(index)) };
}

/** A helper thread's part: packs what the caller's thread stages in readWeights, until the end. */
export function helpReadWeights(weights: PlmWeights, target: PackTarget, index: number): void {
  const { staging, queue, packer } = packParts(weights, target, index);
  if (index >= staging.packers) return;
  for (let i = queue.awaitChunk(); i >= 0; i = queue.awaitChunk()) {
    queue.finish(i, packer.pack(staging.chunks[i], staging.slotPtr(i)));
  }
}
