/** What the kernels' binaries import, export and are made of. */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import createWabt from "wabt";
import { relaxedBase64, simdBase64 } from "../src/kernels/binary.js";
import { kernelsBytes, VARIANTS, type Variant } from "../src/kernels/load.js";

/** Raised only with a reason: the binaries are downloaded with the package, as base64. */
const MOST_BYTES = 60_000;

/** Where relaxed instructions may stand: their results are exact, or proved so by the probe. */
const USES_RELAXED_DOT = ["absorbS8X2", "matmulPlanes", "matvecS8X2", "probeDot"];

/** Where threads meet; all else computes on memory that no other thread writes to. */
const USES_ATOMICS = ["joinTeam", "spinWhile"];

/** A binary as text. */
interface Disassembly {
  readonly text: string;
  /** Its functions' texts by their names there. */
  readonly functions: ReadonlyMap<string, string>;
  /** Names there by exported names. */
  readonly exported: ReadonlyMap<string, string>;
}

async function disassemble(variant: Variant): Promise<Disassembly> {
  const wabt = await createWabt();
  const features = { simd: true, relaxed_simd: true, threads: true };
  const module = wabt.readWasm(kernelsBytes(variant), features);
  module.generateNames();
  module.applyNames();
  const text = module.toText({ foldExprs: false, inlineExport: false });
  module.destroy();
  const bodies = text.split(/^ {2}(?=\()/m).filter((part) => part.startsWith("(func "));
  const functions = new Map(bodies.map((body) => [/^\(func (\S+)/.exec(body)![1], body]));
  const exports = text.matchAll(/\(export "(\w+)" \(func (\S+)\)\)/g);
  return { text, functions, exported: new Map(Array.from(exports, ([, name, id]) => [name, id])) };
}

const disassembled: Record<Variant, Disassembly> = {
  simd: await disassemble("simd"),
  relaxed: await disassemble("relaxed"),
};

/** Names of the members of an interface in src/kernels/kernels.ts. */
function membersOf(interfaceName: string): string[] {
  const source = readFileSync("src/kernels/kernels.ts", "utf8");
  const body = source.slice(source.indexOf(`export interface ${interfaceName} `));
  const members = body.slice(0, body.indexOf("\n}")).matchAll(/^ {2}(\w+)[(:]/gm);
  return Array.from(members, ([, name]) => name).sort();
}

function typedNames(variant: Variant): string[] {
  const own = variant === "relaxed" ? membersOf("RelaxedKernels") : [];
  return [...membersOf("Kernels"), ...own].sort();
}

/** An exported function's text and that of all that it calls. */
function reachedFrom({ functions, exported }: Disassembly, name: string): string {
  const reached = new Set([exported.get(name)!]);
  for (const id of reached) {
    for (const [, callee] of functions.get(id)!.matchAll(/^ +call ([^\s)]+)/gm))
      reached.add(callee);
  }
  return [...reached].map((id) => functions.get(id)).join("\n");
}

/** Exported functions that reach such an instruction. */
function exportsWith(variant: Variant, instruction: RegExp): string[] {
  const disassembly = disassembled[variant];
  const names = [...disassembly.exported.keys()].sort();
  return names.filter((name) => instruction.test(reachedFrom(disassembly, name)));
}

for (const variant of VARIANTS) {
  const { text } = disassembled[variant];

  test(`${variant}: its exports are the typed ones, functions all`, () => {
    const exported = [...text.matchAll(/\(export "(\w+)" \((\w+) /g)];
    const names = typedNames(variant);
    assert.equal(exported.map(([, name]) => name).sort(), names);
    assert.ok(names.length > 20);
    for (const [, , kind] of exported) assert.is(kind, "func");
  });

  test(`${variant}: its only import is a memory with a maximum, not shared`, () => {
    const imports = text.match(/\(import .*/g);
    assert.equal(imports?.length, 1);
    assert.match(imports![0], /^\(import "env" "memory" \(memory \S+ 1 65536\)\)$/);
  });

  test(`${variant}: the integer products are made of i16 dots`, () => {
    const names = exportsWith(variant, /i32x4\.dot_i16x8_s/);
    for (const name of ["matvecI16", "matmulI16", "sparseMatmulI16", "absorbI16"]) {
      assert.ok(names.includes(name), name);
    }
    assert.not(names.includes("addF32"));
  });

  test(`${variant}: it holds no state and never grows its memory`, () => {
    assert.match(text, "f32x4.mul");
    for (const banned of [/memory\.grow/, /\(start /, /\(global \S+ \(mut/]) {
      assert.not.match(text, banned);
    }
  });

  test(`${variant}: only the barrier is made of atomics, and does not sleep`, () => {
    assert.equal(exportsWith(variant, /\batomic\b/), USES_ATOMICS);
    assert.not.match(text, /memory\.atomic\.wait/);
  });

  test(`${variant}: it is small, and its base64 is the file's`, () => {
    const file = readFileSync(`build/${variant}.wasm`);
    assert.ok(file.length <= MOST_BYTES, `${file.length} bytes`);
    assert.is(variant === "simd" ? simdBase64 : relaxedBase64, file.toString("base64"));
    assert.ok(file.equals(kernelsBytes(variant)));
  });
}

test("simd needs plain SIMD", () => {
  assert.not.match(disassembled.simd.text, /relaxed/);
});

test("relaxed dots are in kernels of the relaxed variant, and in one that both have", () => {
  const dots = exportsWith("relaxed", /i32x4\.(relaxed_dot|dot)_i8x16_i7x16/);
  for (const name of USES_RELAXED_DOT) assert.ok(dots.includes(name), name);
  const shared = membersOf("Kernels").filter((name) => dots.includes(name));
  assert.equal(shared, ["attendLatentQ8_0"]);
});

test.run();
