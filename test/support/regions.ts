/** A memory of regions with guard bands, for kernel tests. */
import * as assert from "uvu/assert";

const GUARD_BYTES = 64;
const SENTINEL = 0xa5;

/** One test's memory. Regions are laid out one after another, each between two guard bands. */
export class Regions {
  readonly memory: WebAssembly.Memory;
  #end = 65536;
  #guards: number[] = [];

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
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
