import { test } from "uvu";
import * as assert from "uvu/assert";
import { kernelImports } from "../../src/kernels/imports.js";
import { kernelsBytes, VARIANTS } from "../../src/kernels/load.js";
import { withSharedMemory } from "../../src/kernels/shared-memory.js";

const SHARED = new WebAssembly.Memory({ initial: 1, maximum: 16, shared: true });
const PLAIN = new WebAssembly.Memory({ initial: 1, maximum: 16 });

/** Whether a binary instantiates over a memory. */
async function accepts(
  binary: Uint8Array<ArrayBuffer>,
  memory: WebAssembly.Memory,
): Promise<boolean> {
  const module = await WebAssembly.compile(binary);
  return WebAssembly.instantiate(module, kernelImports(memory, "u8")).then(
    () => true,
    (error) => {
      assert.instance(error, WebAssembly.LinkError);
      return false;
    },
  );
}

for (const variant of VARIANTS) {
  const original = kernelsBytes(variant);

  test(`${variant}: it takes a plain memory and, patched, a shared one`, async () => {
    if (!WebAssembly.validate(original)) {
      console.log(`skipped, this runtime refuses the binary: ${variant}`);
      return;
    }
    const patched = withSharedMemory(original);
    assert.ok(await accepts(patched, SHARED));
    assert.not(await accepts(patched, PLAIN));
    assert.ok(await accepts(original, PLAIN));
    assert.not(await accepts(original, SHARED));
  });

  test(`${variant}: the patch is one bit of a copy, and patching twice changes nothing`, () => {
    const before = original.slice();
    const patched = withSharedMemory(original);
    assert.equal(original, before);
    const changed = [...patched.keys()].filter((i) => patched[i] !== original[i]);
    assert.is(changed.length, 1);
    assert.is(patched[changed[0]] ^ original[changed[0]], 2);
    assert.equal(withSharedMemory(patched), patched);
  });

  test(`${variant}: buffers and views of buffers are equivalent`, () => {
    const padded = new Uint8Array(original.length + 7);
    padded.set(original, 3);
    const part = padded.subarray(3, 3 + original.length);
    const expected = withSharedMemory(original);
    assert.equal(withSharedMemory(part), expected);
    assert.equal(withSharedMemory(part.slice().buffer), expected);
    assert.equal(withSharedMemory(new DataView(padded.buffer, 3, original.length)), expected);
  });
}

const HEADER = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const name = (text: string): number[] => [text.length, ...new TextEncoder().encode(text)];
/** An import section: other imports, then one of this kind: env.memory, limits with a maximum. */
const imported = (kind: number, ...others: number[][]): number[] => {
  const own = [...name("env"), ...name("memory"), kind, 1, 1, 16];
  const content = [others.length + 1, ...others.flat(), ...own];
  return [2, content.length, ...content];
};
/** An import of an immutable i32. */
const GLOBAL = [...name("env"), ...name("dotReading"), 3, 0x7f, 0];

test("sections before the imports are skipped", () => {
  const custom = [0, 5, 1, 0x78, 2, 2, 2];
  const patched = withSharedMemory(Uint8Array.of(...HEADER, ...custom, ...imported(2)));
  assert.equal([...patched.slice(-3)], [3, 1, 16]);
});

test("globals imported before the memory are skipped", () => {
  const patched = withSharedMemory(Uint8Array.of(...HEADER, ...imported(2, GLOBAL, GLOBAL)));
  assert.equal([...patched.slice(-3)], [3, 1, 16]);
});

test("malformed binaries are refused in finite time", () => {
  const malformed: Record<string, number[]> = {
    nothing: [],
    "a header alone": HEADER,
    "no imports": [...HEADER, 1, 4, 1, 0x60, 0, 0],
    "a global alone": [...HEADER, 2, 1 + GLOBAL.length, 1, ...GLOBAL],
    "a table first": [...HEADER, ...imported(1)],
    "more imports than there are": [...HEADER, 2, 1 + GLOBAL.length, 9, ...GLOBAL],
    "a cut section": [...HEADER, ...imported(2).slice(0, 6)],
    "a section without an end": [...HEADER, 1, 0xff, 0xff, 0xff, 0xff, 0x0f],
    "a length without an end": [...HEADER, 1, 0x80, 0x80],
    "a name beyond the end": [...HEADER, 2, 4, 1, 0xff, 0xff, 0x7f],
    "a length that goes back": [...HEADER, 1, 0xf6, 0xff, 0xff, 0xff, 0x0f],
  };
  for (const [what, bytes] of Object.entries(malformed)) {
    assert.throws(
      () => withSharedMemory(Uint8Array.from(bytes)),
      /expected a binary that imports/,
      what,
    );
  }
});

test.run();
