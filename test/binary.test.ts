/** What the kernels' binaries import, export and are made of. */
import { existsSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import createWabt from "wabt";
import { relaxedBase64, simdBase64 } from "../src/kernels/binary.js";
import { kernelsBytes, VARIANTS, type Variant } from "../src/kernels/load.js";
import { trainingBase64 } from "../src/training/engine/binary.js";
import { trainingKernelsBytes } from "../src/training/engine/load-kernels.js";

/** Raised only with a reason: the binaries are downloaded with the package, as base64. */
const MOST_BYTES = 80_000;

/** Where relaxed instructions may stand: their results are exact, or proved so by the probe. */
const USES_RELAXED_DOT = [
  ...["absorbS8X2", "matmulPlanes", "matvecRowsS8X2", "matvecS8X2", "probeDot"],
];

/** Where threads meet; all else computes on memory that no other thread writes to. */
const USES_ATOMICS = ["joinTeam", "spinWhile"];

/** Every binary: the variants of the inference kernels, and the training kernels. */
type BinaryName = Variant | "training";
const BINARIES: readonly BinaryName[] = [...VARIANTS, "training"];

const BASE64: Record<BinaryName, string> = {
  simd: simdBase64,
  relaxed: relaxedBase64,
  training: trainingBase64,
};

/** A binary as text. */
interface Disassembly {
  readonly text: string;
  /** Its functions' texts by their names there. */
  readonly functions: ReadonlyMap<string, string>;
  /** Names there by exported names. */
  readonly exported: ReadonlyMap<string, string>;
}

function bytesOf(name: BinaryName): Uint8Array<ArrayBuffer> {
  return name === "training" ? trainingKernelsBytes() : kernelsBytes(name);
}

async function disassemble(name: BinaryName): Promise<Disassembly> {
  const wabt = await createWabt();
  const features = { simd: true, relaxed_simd: true, threads: true };
  const module = wabt.readWasm(bytesOf(name), features);
  module.generateNames();
  module.applyNames();
  const text = module.toText({ foldExprs: false, inlineExport: false });
  module.destroy();
  const bodies = text.split(/^ {2}(?=\()/m).filter((part) => part.startsWith("(func "));
  const functions = new Map(bodies.map((body) => [/^\(func (\S+)/.exec(body)![1], body]));
  const exports = text.matchAll(/\(export "(\w+)" \(func (\S+)\)\)/g);
  return { text, functions, exported: new Map(Array.from(exports, ([, name, id]) => [name, id])) };
}

const disassembled: Record<BinaryName, Disassembly> = {
  simd: await disassemble("simd"),
  relaxed: await disassemble("relaxed"),
  training: await disassemble("training"),
};

/** Names of the members of an interface. */
function membersOf(interfaceName: string, path = "src/kernels/kernels.ts"): string[] {
  const source = readFileSync(path, "utf8");
  const body = source.slice(source.indexOf(`export interface ${interfaceName} `));
  const members = body.slice(0, body.indexOf("\n}")).matchAll(/^ {2}(\w+)[(:]/gm);
  return Array.from(members, ([, name]) => name).sort();
}

function typedNames(name: BinaryName): string[] {
  if (name === "training") return membersOf("TrainingKernels", "src/training/engine/kernels.ts");
  const own = name === "relaxed" ? membersOf("RelaxedKernels") : [];
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
function exportsWith(binary: BinaryName, instruction: RegExp): string[] {
  const disassembly = disassembled[binary];
  const names = [...disassembly.exported.keys()].sort();
  return names.filter((name) => instruction.test(reachedFrom(disassembly, name)));
}

for (const name of BINARIES) {
  const { text } = disassembled[name];

  test(`${name}: its exports are the typed ones, functions all`, () => {
    const exported = [...text.matchAll(/\(export "(\w+)" \((\w+) /g)];
    const names = typedNames(name);
    assert.equal(exported.map(([, exportName]) => exportName).sort(), names);
    assert.ok(names.length > 20);
    for (const [, , kind] of exported) assert.is(kind, "func");
  });

  test(`${name}: it imports a memory with a maximum, not shared, and the dot's reading`, () => {
    const imports = Array.from(text.matchAll(/\(import .*/g), ([line]) => line);
    assert.is(imports.length, name === "relaxed" ? 2 : 1);
    assert.match(imports[imports.length - 1], /^\(import "env" "memory" \(memory \S+ 1 65536\)\)$/);
    if (name !== "relaxed") return;
    assert.match(imports[0], /^\(import "env" "dotReading" \(global \S+ i32\)\)$/);
  });

  test(`${name}: it holds no state and never grows its memory`, () => {
    assert.match(text, "f32x4.mul");
    for (const banned of [/memory\.grow/, /\(start /, /\(global \S+ \(mut/]) {
      assert.not.match(text, banned);
    }
  });

  test(`${name}: only the barrier is made of atomics, and does not sleep`, () => {
    assert.equal(exportsWith(name, /\batomic\b/), USES_ATOMICS);
    assert.not.match(text, /memory\.atomic\.wait/);
  });

  test(`${name}: it is small, and its base64 is the file's`, () => {
    const file = readFileSync(`build/${name}.wasm`);
    assert.ok(file.length <= MOST_BYTES, `${file.length} bytes`);
    assert.is(BASE64[name], file.toString("base64"));
    assert.ok(file.equals(bytesOf(name)));
  });
}

for (const variant of VARIANTS) {
  test(`${variant}: the integer products are made of i16 dots`, () => {
    const names = exportsWith(variant, /i32x4\.dot_i16x8_s/);
    for (const name of [
      "matvecI16",
      "matvecRowsI16",
      "matmulI16",
      "sparseMatmulI16",
      "absorbI16",
    ]) {
      assert.ok(names.includes(name), name);
    }
    assert.not(names.includes("addF32"));
  });
}

test("simd and training need plain SIMD", () => {
  for (const name of ["simd", "training"] as const) {
    assert.not.match(disassembled[name].text, /relaxed/);
  }
});

test("importing the package or its kernels does not read the training binary", () => {
  const reached = ["src/index.ts", "src/kernels/index.ts"];
  for (const path of reached) {
    for (const [, from] of readFileSync(path, "utf8").matchAll(/ from "(\.[^"]+)"/g)) {
      const source = new URL(from, `file:///${path}`).pathname.slice(1).replace(/\.js$/, ".ts");
      if (existsSync(source) && !reached.includes(source)) reached.push(source);
    }
  }
  assert.ok(reached.length > 20);
  assert.equal(
    reached.filter((path) => path.startsWith("src/training/")),
    [],
  );
});

test("relaxed dots are in kernels of the relaxed variant, and in two that both have", () => {
  const dots = exportsWith("relaxed", /i32x4\.(relaxed_dot|dot)_i8x16_i7x16/);
  for (const name of USES_RELAXED_DOT) assert.ok(dots.includes(name), name);
  const shared = membersOf("Kernels").filter((name) => dots.includes(name));
  assert.equal(shared, ["attendLatentQ8_0", "matmulPlanes"]);
});

test.run();
