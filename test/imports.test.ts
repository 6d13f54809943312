/** Which files may import which. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { files, importsOf, inFolder, partOf } from "./support/source-files.js";

/** The foundation, which every part of src may import. */
const ROOTS = [
  "abortable.ts",
  "errors.ts",
  "brands.ts",
  "clock.ts",
  "describe.ts",
  "globals.ts",
  "disposable.ts",
  "web-types.ts",
];

/** What else each part of src may import besides itself. Arrows point one way. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "abortable.ts": [],
  "errors.ts": [],
  "brands.ts": [],
  "clock.ts": [],
  "describe.ts": [],
  "globals.ts": [],
  "disposable.ts": [],
  "web-types.ts": [],
  kernels: ["#platform"],
  format: [],
  grammar: [],
  store: ["#platform", "format"],
  sources: ["#platform", "format", "store"],
  tokenizer: ["#platform"],
  platform: ["format", "sources", "store"],
  cache: ["kernels", "format"],
  model: ["kernels", "format", "cache"],
  checkpoint: ["format", "model", "tokenizer"],
  loading: ["#platform", "kernels", "format", "sources", "cache", "model"],
  engine: ["#platform", "platform", "kernels", "format", "sources", "cache", "model", "loading"],
  threads: ["engine", "training", "platform"],
  remote: [
    ...["#platform", "platform", "kernels", "format", "sources", "model", "loading", "engine"],
    "checkpoint",
  ],
  generation: [
    "#platform",
    "kernels",
    "format",
    "grammar",
    "sources",
    "cache",
    "model",
    "engine",
    "remote",
    "tokenizer",
    "checkpoint",
  ],
  "ai-sdk": ["generation", "tokenizer"],
  "prompt-api": ["generation", "tokenizer", "sources"],
  redis: ["#platform", "format", "cache", "generation"],
  worker: [
    "#platform",
    "platform",
    "format",
    "sources",
    "engine",
    "remote",
    "generation",
    "tokenizer",
    "checkpoint",
  ],
  training: ["#platform", "platform", "kernels", "format", "model", "tokenizer"],
  "index.ts": [
    ...[
      "platform",
      "format",
      "sources",
      "tokenizer",
      "kernels",
      "cache",
      "model",
      "loading",
      "engine",
    ],
    ...["remote", "generation", "checkpoint"],
  ],
  server: ["platform", "model", "engine", "generation", "tokenizer"],
  cli: [
    ...[
      "#platform",
      "platform",
      "kernels",
      "format",
      "sources",
      "tokenizer",
      "cache",
      "model",
      "loading",
    ],
    ...["engine", "grammar", "generation", "training", "checkpoint", "index.ts", "server", "redis"],
  ],
};

/** Files that may import from Node, or only its types. */
const NODE_FILES = [
  "src/platform/node-imports.ts",
  "src/platform/node.ts",
  "src/platform/disk-modules.ts",
  "src/platform/disk-entry.ts",
  "src/platform/builtin.ts",
  "src/threads/node.ts",
  "src/worker/node.ts",
];

test("imports point one way", () => {
  for (const { path, imports } of inFolder("src")) {
    const part = partOf(path);
    assert.ok(part in MAY_IMPORT, `${path}: ${part} has no place in the layers`);
    for (const name of imports) {
      const target = name.startsWith("src/") ? partOf(name) : name;
      if (!(target in MAY_IMPORT) && target !== "#platform") continue;
      const allowed = [part, ...ROOTS, ...MAY_IMPORT[part]].includes(target);
      assert.ok(allowed, `${path} imports ${name}`);
    }
  }
  for (const { path, imports } of inFolder("assembly")) {
    const isTraining = path.startsWith("assembly/training/");
    for (const name of imports) {
      assert.match(name, /^assembly\//, `${path} imports ${name}`);
      assert.ok(isTraining || !name.startsWith("assembly/training/"), `${path} imports ${name}`);
    }
  }
});

test("files do not import each other in circles", () => {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const visit = (path: string, above: readonly string[]): void => {
    const circle = above.slice(above.indexOf(path));
    assert.not(above.includes(path), `${[...circle, path].join(" imports ")}`);
    if (done.has(path)) return;
    const { imports } = byPath.get(path)!;
    for (const name of imports) {
      const target = [name, `${name}.ts`].find((each) => byPath.has(each));
      if (target !== undefined) visit(target, [...above, path]);
    }
    done.add(path);
  };
  for (const path of byPath.keys()) visit(path, []);
});

test("src imports only src and packages, nothing of test, bench or assembly", () => {
  for (const { path, imports } of inFolder("src")) {
    for (const name of imports) {
      assert.not.match(name, /^(test|bench|assembly|scripts|build)\//, `${path} imports ${name}`);
    }
  }
});

test("only the platform of Node and the command line touch Node's modules", () => {
  for (const { path, imports, text } of inFolder("src")) {
    if (NODE_FILES.includes(path)) continue;
    if (path.startsWith("src/cli/")) continue;
    assert.not(
      imports.find((name) => name.startsWith("node:")),
      path,
    );
    assert.not.match(text, /\bBuffer\.|\bprocess\.(env|exit|argv|cwd|std)/, path);
  }
});

/** A file's imports that remain when types are stripped. */
function runtimeImports(path: string): string[] {
  const source = files.find((file) => file.path === path);
  assert.ok(source !== undefined, `${path} is no file of src`);
  const typeless = source!.text
    .replace(/^(?:import|export) type [^;]*;/gm, "")
    .replace(/^import \{(?:\s*type [\w ]+,?)+\s*\} from [^;]*;/gm, "");
  return importsOf(path, typeless);
}

test("threads of browsers, which have no import map, import only files", () => {
  const reached = new Set(["src/threads/web.ts"]);
  for (const path of reached) {
    for (const name of runtimeImports(path)) {
      assert.match(name, /^src\//, `${path}, which a thread imports, imports ${name}`);
      reached.add(name);
    }
  }
  assert.ok(reached.has("src/model/plm.ts"));
  assert.ok(reached.has("src/training/network/forward.ts"));
  // The compiled module is sent to them.
  const binaries = [...reached].filter((path) => path.endsWith("/binary.ts"));
  assert.equal(binaries, []);
});

test("one file uses the AssemblyScript loader", () => {
  const users = inFolder("src").filter(({ imports }) => imports.includes("@assemblyscript/loader"));
  assert.equal(
    users.map(({ path }) => path),
    ["src/kernels/load.ts"],
  );
});

test.run();
