/** The plan of the one wasm memory: named regions, sized once, before anything is allocated. */
import platform from "#platform";
import { PlmError } from "../errors.js";
import { requireWasm } from "./require-wasm.js";

/** What a region is for. */
export type RegionKind = "weights" | "cache" | "scratch";

/** A planned piece of memory. */
export interface Region {
  readonly kind: RegionKind;
  readonly name: string;
  readonly ptr: number;
  readonly bytes: number;
}

/** The kernels' own static data lies below this address. */
const FIRST_PTR = 65536;
const PAGE_BYTES = 65536;
const ALIGNMENT = 64;

/** What a 32-bit memory can hold. */
export const MAX_MEMORY_BYTES: number = 65536 * PAGE_BYTES;

/** Keeps the engine counting a shared memory for as long as the memory lives. */
const COUNTED = new WeakMap<WebAssembly.Memory, unknown>();

/** Lays regions one after another. Nothing is allocated until `allocate`. */
export class MemoryPlan {
  readonly regions: Region[] = [];
  #end: number;

  /** With its first region at `startPtr`, by default behind the kernels' data. */
  constructor(startPtr: number = FIRST_PTR) {
    this.#end = startPtr;
  }

  /** A plan of regions whose place is not known yet: the first is at 0. */
  detached(): MemoryPlan {
    return new MemoryPlan(0);
  }

  /** The address behind the last region. */
  get end(): number {
    return this.#end;
  }

  /** Plans `bytes` bytes, aligned to 64; returns their address. */
  add(kind: RegionKind, name: string, bytes: number): number {
    const ptr = this.#end;
    this.regions.push({ kind, name, ptr, bytes });
    this.#end = Math.ceil((ptr + bytes) / ALIGNMENT) * ALIGNMENT;
    return ptr;
  }

  /** Bytes of the whole memory, or of the regions of one kind. */
  bytes(kind?: RegionKind): number {
    if (kind === undefined) return Math.ceil(this.#end / PAGE_BYTES) * PAGE_BYTES;
    let total = 0;
    for (const region of this.regions) if (region.kind === kind) total += region.bytes;
    return total;
  }

  /** Throws OUT_OF_MEMORY with the plan when it is over `limitBytes`. */
  check(limitBytes: number): void {
    const limit = Math.min(limitBytes, MAX_MEMORY_BYTES);
    if (!(this.bytes() <= limit)) {
      throw new PlmError(
        "OUT_OF_MEMORY",
        `memory: expected a plan of at most ${limit} bytes, ` +
          `got ${this.bytes()} (${this.describe()})`,
      );
    }
  }

  /** The plan in one line: bytes by kind. */
  describe(): string {
    return (["weights", "cache", "scratch"] as const)
      .map((kind) => `${kind} ${this.bytes(kind)}`)
      .join(", ");
  }

  /**
   * Allocates the memory, once, shared between threads or not; from then on it does not grow.
   * Throws OUT_OF_MEMORY when the runtime refuses, UNSUPPORTED_RUNTIME where it has no WebAssembly.
   */
  allocate(shared = false): WebAssembly.Memory {
    requireWasm();
    const pages = this.bytes() / PAGE_BYTES;
    try {
      const memory = createMemory(pages, shared);
      // After the memory, which needs the room that this may take.
      if (shared) COUNTED.set(memory, platform.countSharedMemory(this.bytes()));
      return memory;
    } catch (cause) {
      throw new PlmError(
        "OUT_OF_MEMORY",
        `memory: the runtime refused ${this.bytes()} bytes (${this.describe()})`,
        { cause },
      );
    }
  }
}

/** Pages that a memory grows by: 64 MiB. */
const STEP_PAGES = 1024;

/** A memory of this many pages: at once or, where the runtime refuses one block, in steps. */
function createMemory(pages: number, shared: boolean): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  } catch (refusal) {
    if (pages <= STEP_PAGES) throw refusal;
    const memory = new WebAssembly.Memory({ initial: STEP_PAGES, maximum: pages, shared });
    for (let left = pages - STEP_PAGES; left > 0; left -= STEP_PAGES) {
      memory.grow(Math.min(left, STEP_PAGES));
    }
    return memory;
  }
}
