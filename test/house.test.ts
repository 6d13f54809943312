/** House rules that a reader would have to check by hand: import directions, sizes, names. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";

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
  format: ["#platform"],
  tokenizer: ["#platform"],
  platform: ["format"],
  model: ["#platform", "platform", "kernels", "format"],
  threads: ["model", "platform"],
  generation: ["#platform", "format", "model", "tokenizer"],
  training: ["platform", "kernels", "format", "model", "tokenizer"],
  "index.ts": ["platform", "format", "model", "tokenizer", "generation"],
  cli: [
    ...["#platform", "platform", "format", "model", "tokenizer", "generation"],
    ...["training", "index.ts"],
  ],
};

/** The most lines of a file, by folder; then of files that need more. Split before raising. */
const MOST_LINES: Readonly<Record<string, number>> = {
  assembly: 200,
  src: 300,
  test: 300,
  bench: 300,
  scripts: 100,
  "assembly/floats.ts": 210,
};

/** As the formatter wraps code; comments and assembly, which it does not see, keep to it too. */
const MOST_COLUMNS = 100;

/** What may import from Node, or only its types. */
const NODE_FILES = [
  "src/platform/node-imports.ts",
  "src/platform/node.ts",
  "src/platform/builtin.ts",
  "src/threads/node.ts",
];

const BANNED_NAMES = /^(utils?|helpers?|common|misc|data|info|manager)\./;

interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** What it imports: paths from the root, "#platform", or names of packages. */
  readonly imports: readonly string[];
}

const files = ["assembly", "src", "test", "bench", "scripts"].filter(existsSync).flatMap(filesOf);

/** All source files below a folder. */
function filesOf(folder: string): SourceFile[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .filter((path) => /\.(ts|mjs)$/.test(path) && !path.includes("/node_modules/"))
    .map((path) => {
      const text = readFileSync(path, "utf8");
      return { path, text, imports: importsOf(path, text) };
    });
}

function importsOf(path: string, text: string): string[] {
  const pattern = /^(?:import|export|\})[^"'`;]*?from "([^"]+)"|\bimport\(?\s*"([^"]+)"/gm;
  return Array.from(text.matchAll(pattern), ([, from, other]) => {
    const specifier = from ?? other;
    if (!specifier.startsWith(".")) return specifier;
    const resolved = new URL(specifier, `file:///${path}`).pathname.slice(1);
    return resolved.replace(/\.js$/, ".ts");
  });
}

/** The part of src that a path lies in: a folder or a file of its root. */
const partOf = (path: string): string => path.split("/")[1];
const inFolder = (folder: string): SourceFile[] =>
  files.filter(({ path }) => path.startsWith(`${folder}/`));

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
    const allowed = isTraining ? /^assembly\/(training\/)?[\w-]+$/ : /^assembly\/[\w-]+$/;
    for (const name of imports) assert.match(name, allowed, `${path} imports ${name}`);
  }
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

/**
 * The classes that src may ask a value's prototype for: those of values that it made itself. What
 * callers pass, or a runtime throws, may be of another realm; src/brands.ts and PlmError.from tell.
 */
const OWN_CLASSES: Readonly<Record<string, readonly string[]>> = {
  "src/errors.ts": ["PlmError"],
  "src/format/header.ts": ["NeedsMoreBytes"],
  "src/tokenizer/chat.ts": ["TemplateFailure"],
  "src/training/corpus.ts": ["Uint16Array"],
  "src/cli/main.ts": ["CommanderError", "Interrupted"],
};

const JINJA_CLASSES: readonly string[] = [
  ...["Callable", "Dict", "DictView", "Fields", "Lazy", "Namespace", "Range", "TemplateFailure"],
  ...["Tuple", "Undefined", "RangeError"],
];

test("instanceof is for objects of one's own", () => {
  for (const { path, text } of inFolder("src")) {
    for (const [, name] of text.matchAll(/^(?! *(?:\/?\*|\/\/)).*\binstanceof (\w+)/gm)) {
      const message = `${path}: instanceof ${name} fails for objects of other realms`;
      // A template's values are made by the folder itself, from-javascript.ts first of all.
      const isOwn = path.startsWith("src/tokenizer/jinja/") && JINJA_CLASSES.includes(name);
      assert.ok(isOwn || OWN_CLASSES[path]?.includes(name), message);
    }
  }
});

/** What some runtimes or test environments lack; src/globals.ts says what is missing. */
const LACKED = [
  ...["fetch", "Blob", "File", "FileReader", "ReadableStream", "Response", "Headers", "URL"],
  ...["AbortController", "TextDecoder", "TextEncoder", "structuredClone", "performance", "crypto"],
  ...["navigator", "location", "atob", "btoa"],
];

test("a missing global is no ReferenceError", () => {
  const use = new RegExp(`(?<![\\w.$"])(?:new )?(${LACKED.join("|")})(?=[.(])`, "g");
  for (const { path, text } of inFolder("src")) {
    if (/^src\/(cli|training|threads|platform|globals\.ts)/.test(path)) continue;
    const code = text.replace(/\/\*.*?\*\/|\/\/.*$/gms, "");
    for (const [found, name] of code.matchAll(use)) {
      const isGuarded = new RegExp(`globalThis\\.${name}\\b|\\{ ${name} \\} = globalThis`);
      assert.ok(isGuarded.test(code) || isOwnName(code, name), `${path}: ${found}`);
    }
  }
});

/** Whether a file gives a name a meaning of its own. */
function isOwnName(code: string, name: string): boolean {
  return new RegExp(`\\b(const|let) ${name}\\b`).test(code);
}

/** What is left of a file's imports when types are stripped. */
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
});

test("one file uses the AssemblyScript loader", () => {
  const users = inFolder("src").filter(({ imports }) => imports.includes("@assemblyscript/loader"));
  assert.equal(
    users.map(({ path }) => path),
    ["src/kernels/load.ts"],
  );
});

test("every test file runs its suites, and ends with that", () => {
  const tests = inFolder("test").filter(({ path }) => path.endsWith(".test.ts"));
  assert.ok(tests.length > 20);
  for (const { path, text } of tests) {
    assert.match(text, /\n\w+\.run\(\);\n$/, path);
    for (const [, name] of text.matchAll(/^const (\w+) = suite\(/gm)) {
      assert.match(text, new RegExp(`^${name}\\.run\\(\\);$`, "m"), path);
    }
  }
});

test("files and lines are of readable size", () => {
  for (const { path, text } of files) {
    const lines = text.trimEnd().split("\n");
    const most = MOST_LINES[path] ?? MOST_LINES[path.split("/")[0]];
    assert.ok(lines.length <= most, `${path}: ${lines.length} lines, at most ${most}`);
    lines.forEach((line, i) => {
      assert.ok(line.length <= MOST_COLUMNS, `${path}:${i + 1}: ${line.length} columns`);
    });
  }
});

test("files are named after one idea", () => {
  for (const { path } of files) assert.not.match(path.split("/").at(-1)!, BANNED_NAMES, path);
});

test.run();
