/** A memory of its own with the kernels over it, and regions with guard bands, for kernel tests. */
import * as assert from "uvu/assert";
import { isRelaxed, type Kernels, type RelaxedKernels } from "../../src/kernels/kernels.js";
import { kernelsBytes, loadKernels, type Variant } from "../../src/kernels/load.js";

const GUARD_BYTES = 64;
const SENTINEL = 0xa5;

/** What a test fills memory with that must not be written to, and the float that four make. */
export const UNWRITTEN_BYTE = 0x5a;
export const UNWRITTEN: number = new Float32Array(new Uint8Array(4).fill(UNWRITTEN_BYTE).buffer)[0];

let defaultVariant: Variant = "simd";

/** The variant that benches have from now on, unless they are told. */
export function setDefaultVariant(variant: Variant): void {
  defaultVariant = variant;
}

/** Whether this runtime has the relaxed variant; a printed line where it does not. */
export async function hasRelaxed(what: string): Promise<boolean> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const isValid = WebAssembly.validate(kernelsBytes("relaxed"));
  if (isValid && (await loadKernels(memory)).variant === "relaxed") return true;
  console.log(`skipped, this runtime has no exact relaxed dot: ${what}`);
  return false;
}

/** One test's memory. Regions are laid out one after another, each between two guard bands. */
export class Bench {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  #end = 65536;
  #guards: number[] = [];

  private constructor(kernels: Kernels, memory: WebAssembly.Memory) {
    this.kernels = kernels;
    this.memory = memory;
  }

  static async create(
    megabytes = 16,
    { variant = defaultVariant }: { variant?: Variant } = {},
  ): Promise<Bench> {
    const memory = new WebAssembly.Memory({ initial: megabytes * 16, maximum: megabytes * 16 });
    const { kernels } = await loadKernels(memory, { variant });
    return new Bench(kernels, memory);
  }

  /** The kernels that only the relaxed variant has. */
  get relaxed(): RelaxedKernels {
    if (isRelaxed(this.kernels)) return this.kernels;
    throw new TypeError("expected a bench of the relaxed variant");
  }

  /** Forgets all regions. */
  reset(): void {
    this.#end = 65536;
    this.#guards = [];
  }

  /** Address of a new region of `bytes` bytes, `offset` bytes past 16-byte alignment. */
  region(bytes: number, offset = 0): number {
    const ptr = Math.ceil((this.#end + GUARD_BYTES) / 16) * 16 + offset;
    this.#end = ptr + bytes + GUARD_BYTES;
    assert.ok(this.#end <= this.memory.buffer.byteLength, "test memory too small");
    const guards = [ptr - GUARD_BYTES, ptr + bytes];
    for (const guard of guards) this.u8(guard, GUARD_BYTES).fill(SENTINEL);
    this.#guards.push(...guards);
    return ptr;
  }

  /** Address of a new region with a copy of `values`. */
  put(values: ArrayBufferView, offset = 0): number {
    const ptr = this.region(values.byteLength, offset);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.u8(ptr, values.byteLength).set(bytes);
    return ptr;
  }

  u8(ptr: number, n: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, ptr, n);
  }

  /** A copy of `n` floats; works at any alignment. */
  f32(ptr: number, n: number): Float32Array {
    return new Float32Array(this.u8(ptr, n * 4).slice().buffer);
  }

  i32(ptr: number, n: number): Int32Array {
    return new Int32Array(this.u8(ptr, n * 4).slice().buffer);
  }

  i16(ptr: number, n: number): Int16Array {
    return new Int16Array(this.u8(ptr, n * 2).slice().buffer);
  }

  /** Fails if a kernel wrote outside any region. */
  checkGuards(): void {
    for (const guard of this.#guards) {
      for (const byte of this.u8(guard, GUARD_BYTES)) {
        assert.is(byte, SENTINEL, `write outside a region near ${guard}`);
      }
    }
  }
}
