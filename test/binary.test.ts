/** What the kernels' binary imports, exports and is made of. */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import createWabt from "wabt";

/** Raised only with a reason: the binary is downloaded with the package, as base64. */
const MOST_BYTES = 40_000;

const wasm = Uint8Array.from(readFileSync("build/kernels.wasm"));
const text = await disassemble();

async function disassemble(): Promise<string> {
  const wabt = await createWabt();
  const module = wabt.readWasm(wasm, { simd: true, relaxed_simd: true, threads: true });
  module.generateNames();
  module.applyNames();
  const source = module.toText({ foldExprs: false, inlineExport: false });
  module.destroy();
  return source;
}

/** Names of the members of the interface in src/kernels/kernels.ts. */
function typedNames(): string[] {
  const source = readFileSync("src/kernels/kernels.ts", "utf8");
  const body = source.slice(source.indexOf("export interface Kernels {"));
  const members = body.slice(0, body.indexOf("\n}")).matchAll(/^ {2}(\w+)[(:]/gm);
  return Array.from(members, ([, name]) => name).sort();
}

/** The text of an exported function's body. */
function bodyOf(name: string): string {
  const [, id] = text.match(new RegExp(`\\(export "${name}" \\(func (\\S+)\\)\\)`))!;
  const start = text.indexOf(`(func ${id} (type`);
  const end = text.indexOf("\n  (", start + 1);
  return text.slice(start, end);
}

test("its exports are the typed ones, functions all", () => {
  const module = new WebAssembly.Module(wasm);
  const exported = WebAssembly.Module.exports(module);
  assert.equal(exported.map(({ name }) => name).sort(), typedNames());
  assert.ok(typedNames().length > 20);
  for (const { kind } of exported) assert.is(kind, "function");
});

test("the memory is its only import", () => {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(wasm));
  assert.equal(imports, [{ module: "env", name: "memory", kind: "memory" }]);
});

test("the integer products are made of i16 dots", () => {
  for (const name of ["matvecQ8", "matmulI16", "sparseMatmulI16", "matvecTransposed"]) {
    assert.match(bodyOf(name), "i32x4.dot_i16x8_s", name);
  }
  assert.not.match(bodyOf("addF32"), "i32x4.dot_i16x8_s");
});

test("it needs plain SIMD, holds no state and never grows its memory", () => {
  assert.match(text, "f32x4.mul");
  for (const banned of [/relaxed/, /memory\.grow/, /\(start /, /\(global \S+ \(mut/, /atomic/]) {
    assert.not.match(text, banned);
  }
});

test("it is small", () => {
  assert.ok(wasm.length <= MOST_BYTES, `${wasm.length} bytes`);
});

test.run();
