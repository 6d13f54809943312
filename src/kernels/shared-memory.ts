/**
 * The same kernels over a shared memory: a wasm binary says in its import section whether the
 * memory is shared, by one bit (WebAssembly threads, "limits").
 */

const IMPORT_SECTION = 2;
const MEMORY_KIND = 2;
const GLOBAL_KIND = 3;
/** A global's type and whether it can change. */
const GLOBAL_BYTES = 2;
const SHARED_BIT = 2;

/** Reads one wasm binary from front to back. */
class WasmReader {
  at = 8;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Throws TypeError past the end. */
  byte(): number {
    if (this.at < this.#bytes.length) return this.#bytes[this.at++];
    throw unexpected();
  }

  /** An unsigned LEB128 number. */
  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  skip(): void {
    const length = this.number();
    this.at += length;
  }
}

function unexpected(): TypeError {
  return new TypeError(
    "kernels: expected a binary that imports its memory, and before it only globals",
  );
}

/**
 * A copy of a kernel binary that imports a shared memory. Its imports are the memory, with a
 * maximum, and perhaps globals before it. Throws TypeError for a binary that is not of that form.
 */
export function withSharedMemory(binary: BufferSource): Uint8Array<ArrayBuffer> {
  const bytes = ArrayBuffer.isView(binary)
    ? new Uint8Array(binary.buffer, binary.byteOffset, binary.byteLength).slice()
    : new Uint8Array(binary).slice();
  const reader = new WasmReader(bytes);
  while (reader.at < bytes.length) {
    if (reader.byte() !== IMPORT_SECTION) {
      reader.skip();
      continue;
    }
    reader.number(); // bytes of the section
    for (let left = reader.number(); left > 0; left--) {
      reader.skip(); // module
      reader.skip(); // name
      const kind = reader.byte();
      if (kind === MEMORY_KIND) {
        bytes[reader.at] |= SHARED_BIT;
        return bytes;
      }
      if (kind !== GLOBAL_KIND) throw unexpected();
      reader.at += GLOBAL_BYTES;
    }
    break;
  }
  throw unexpected();
}
