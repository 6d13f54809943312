/** House rules that a reader would have to check by hand: sizes, names, what code may use. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { files, inFolder } from "./support/source-files.js";

/** The most lines of a file, by folder; then of files that need more. Split before raising. */
const MOST_LINES: Readonly<Record<string, number>> = {
  assembly: 200,
  src: 300,
  test: 300,
  bench: 300,
  scripts: 100,
  "assembly/linear/floats.ts": 210,
};

/** The formatter's width; comments and assembly, which it does not wrap, keep to it too. */
const MOST_COLUMNS = 100;

const BANNED_NAMES = /^(utils?|helpers?|common|misc|data|info|manager)\./;

/** Files that comments name: by path from the root, or by a name in the same tree. */
test("comments name files that exist", () => {
  const trees = ["assembly", "src", "test", "bench"];
  const known = new Set(
    files.flatMap(({ path }) =>
      path.split("/").map((_, i, parts) => {
        const tail = parts.slice(i).join("/");
        return i === 0 ? tail : `${parts[0]}: ${tail}`;
      }),
    ),
  );
  for (const { path, text } of files) {
    const comments = Array.from(text.matchAll(/^\s*(?:\/\/|\/?\*).*$/gm), ([line]) => line).join(
      "\n",
    );
    for (const [name] of comments.matchAll(/(?<![\w/.*-])[\w-]+(?:\/[\w-]+)*\.ts\b/g)) {
      const isPath = trees.includes(name.split("/")[0]) && name.includes("/");
      const exists = known.has(isPath ? name : `${path.split("/")[0]}: ${name}`);
      assert.ok(exists, `${path} names ${name}, which does not exist`);
    }
  }
});

/** What tests share lies apart from the tests. */
test("a file beside tests is a test", () => {
  const folders = [
    ...["support", "reference", "conformance", "runtimes", "bundlers", "integrations", "types"],
    ...["clients", "page", "serverless"],
  ];
  const places = new RegExp(`/(?:${folders.join("|")})/`);
  for (const { path } of inFolder("test")) {
    if (places.test(path) || path === "test/conformance.ts") continue;
    assert.match(path, /\.test\.ts$/, `${path} belongs into a folder "support"`);
  }
});

/**
 * The classes that src may use with `instanceof`: those of values that it made itself. What callers
 * pass, or a runtime throws, may be of another realm; use src/brands.ts and PlmError.from there.
 */
const OWN_CLASSES: Readonly<Record<string, readonly string[]>> = {
  "src/errors.ts": ["PlmError"],
  "src/format/header.ts": ["NeedsMoreBytes"],
  "src/server/http-error.ts": ["HttpError"],
  "src/sources/pull.ts": ["DownloadSource"],
  "src/sources/source.ts": ["HubPlace", "RemoteFile"],
  "src/tokenizer/chat.ts": ["TemplateFailure"],
  "src/training/data/corpus.ts": ["Uint16Array"],
  "src/cli/main.ts": ["CommanderError", "Interrupted"],
};

const JINJA_CLASSES: readonly string[] = [
  ...["Callable", "Dict", "DictView", "Fields", "Lazy", "Namespace", "Range", "TemplateFailure"],
  ...["Tuple", "Undefined", "RangeError"],
];

test("instanceof is only used for the package's own objects", () => {
  for (const { path, text } of inFolder("src")) {
    for (const [, name] of text.matchAll(/^(?! *(?:\/?\*|\/\/)).*\binstanceof (\w+)/gm)) {
      const message = `${path}: instanceof ${name} fails for objects of other realms`;
      // The folder makes a template's values itself, beginning with from-javascript.
      const isOwn = path.startsWith("src/tokenizer/jinja/") && JINJA_CLASSES.includes(name);
      assert.ok(isOwn || OWN_CLASSES[path]?.includes(name), message);
    }
  }
});

/** What some runtimes or test environments lack; src/globals.ts reports what is missing. */
const LACKED = [
  ...["fetch", "Blob", "File", "FileReader", "ReadableStream", "Response", "Headers", "URL"],
  ...["AbortController", "TextDecoder", "TextEncoder", "structuredClone", "performance", "crypto"],
  ...["navigator", "location", "atob", "btoa"],
];

test("a missing global is never a ReferenceError", () => {
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

/** Whether a file declares a name itself. */
function isOwnName(code: string, name: string): boolean {
  return new RegExp(`\\b(const|let) ${name}\\b`).test(code);
}

test("every test file runs its suites at its end", () => {
  const tests = inFolder("test").filter(({ path }) => path.endsWith(".test.ts"));
  assert.ok(tests.length > 20);
  for (const { path, text } of tests) {
    assert.match(text, /\n\w+\.run\(\);\n$/, path);
    for (const [, name] of text.matchAll(/^const (\w+) = suite\(/gm)) {
      assert.match(text, new RegExp(`^${name}\\.run\\(\\);$`, "m"), path);
    }
  }
});

test("files and lines have a readable size", () => {
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
