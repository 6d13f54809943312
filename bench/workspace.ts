/** The memory of cases: a pool of weights larger than the caches, and a case's buffers. */
import type { Variant } from "../src/kernels/load.js";
import { Bench } from "../test/kernels/support/wasm.js";

/** The source of weights: cycling through the pool, or always the same copy. */
export type Home = "DRAM" | "cache";

/** A timed case of a kernel: prepared in a workspace, checked first, then run repeatedly. */
export interface Prepared {
  run(): void;
  /** Runs once and throws if the result differs from the reference. */
  check(): void;
}

/** One line of the results. */
export interface Case {
  /** Kernel, shape and home. */
  readonly name: string;
  /** The work of one call, in `unit`s. */
  readonly amount: number;
  readonly unit: "MAC" | "B" | "element";
  /** Bytes that one call must read from DRAM, for the share of a plain read. */
  readonly dramBytes?: number;
  /** Whether only the relaxed variant has the kernel. */
  readonly isRelaxed?: boolean;
  prepare(workspace: Workspace): Prepared;
}

const MIB = 2 ** 20;
/** Room for one case's buffers besides the pool. */
const BUFFERS_MIB = 160;
const ALIGNMENT = 64;

/** Kernels over one memory; its first region is the pool. */
export class Workspace {
  readonly bench: Bench;
  readonly poolBytes: number;
  #poolPtr = 0;

  private constructor(bench: Bench, poolBytes: number) {
    this.bench = bench;
    this.poolBytes = poolBytes;
    this.reset();
  }

  /**
   * The pool is 4 times the last-level cache, so that nothing of the last round is in a cache;
   * between 256 MiB and 2 GiB, and 512 MiB if the cache is not known.
   */
  static async create(lastLevelCacheBytes: number, variant: Variant): Promise<Workspace> {
    const wanted = lastLevelCacheBytes ? 4 * lastLevelCacheBytes : 512 * MIB;
    const poolBytes = Math.min(Math.max(wanted, 256 * MIB), 2048 * MIB);
    return new Workspace(await Bench.create(poolBytes / MIB + BUFFERS_MIB, { variant }), poolBytes);
  }

  get poolPtr(): number {
    return this.#poolPtr;
  }

  /** Forgets all regions except the pool. */
  reset(): void {
    this.bench.reset();
    const ptr = this.bench.region(this.poolBytes + ALIGNMENT);
    this.#poolPtr = Math.ceil(ptr / ALIGNMENT) * ALIGNMENT;
  }

  /**
   * Writes copies of a matrix of `bytes` bytes into the pool; each repeats the `patternBytes`
   * bytes at patternPtr: one copy for the cache, as many as fit for DRAM. Returns their addresses.
   */
  place(patternPtr: number, patternBytes: number, bytes: number, home: Home): number[] {
    const memory = new Uint8Array(this.bench.memory.buffer);
    const stride = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    const copies = home === "cache" ? 1 : Math.floor(this.poolBytes / stride);
    const addresses = Array.from({ length: copies }, (_, i) => this.#poolPtr + i * stride);
    for (let done = 0; done < bytes; done += patternBytes) {
      const n = Math.min(patternBytes, bytes - done);
      memory.copyWithin(addresses[0] + done, patternPtr, patternPtr + n);
    }
    for (const ptr of addresses.slice(1)) {
      memory.copyWithin(ptr, addresses[0], addresses[0] + bytes);
    }
    return addresses;
  }
}

/** A function that returns the addresses in turn, endlessly. */
export function cycle(addresses: readonly number[]): () => number {
  let i = 0;
  return () => {
    i = i + 1 < addresses.length ? i + 1 : 0;
    return addresses[i];
  };
}
