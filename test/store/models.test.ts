/** Names of the hub, and the list of what is stored. */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { inspectModel, loadModel, models } from "../../src/index.js";
import { parseHubName } from "../../src/sources/hub-name.js";
import { emptyManifest, encodeManifest, parseManifest } from "../../src/store/manifest.js";
import { storeKey } from "../../src/store/store-key.js";
import { sampleFile } from "../format/support/sample.js";
import { errorOf } from "../sources/support/error-of.js";
import { seededRandom } from "../support/random.js";
import { type Hub, serveHub, sha256Of } from "./support/hub.js";
import { filesIn, removeOwnStores, useOwnStore } from "./support/own-store.js";

test.after(removeOwnStores);

const FILE = sampleFile();

async function start(names: readonly string[]): Promise<{ hub: Hub; store: string }> {
  const hub = await serveHub(Object.fromEntries(names.map((name) => [name, FILE])));
  process.env.HF_ENDPOINT = hub.url.href;
  delete process.env.HF_TOKEN;
  return { hub, store: useOwnStore() };
}

test("names of the hub have an owner, a repository, a file and a revision", () => {
  const main = { repo: "a/b", revision: "main" };
  assert.equal(parseHubName("hf:a/b"), { ...main, file: undefined });
  assert.equal(parseHubName("hf:a/b/c.gguf"), { ...main, file: "c.gguf" });
  assert.equal(parseHubName("HF:a/b/c/d.gguf@v1"), {
    repo: "a/b",
    file: "c/d.gguf",
    revision: "v1",
  });
  assert.equal(parseHubName("hf:a/b@refs/pr/3").revision, "refs/pr/3");
});

test("no name leaves its repository", () => {
  const wrong = [
    ...["hf:a/..", "hf:../b", "hf:a/b/../c", "hf:a/b/./c", "hf:a/b//c", "hf:a/b/c\\d", "hf:a/"],
    ...[
      "hf:/b",
      "hf:a/b/c?x",
      "hf:a/b/c#x",
      "hf:a/b/c\n",
      "hf:a/b/c@",
      "hf:a/b@..",
      "hf:a/b@x/../y",
    ],
    ...["hf:a%2fb/c%00/..", "hf:.a/b", "hf:a b/c", "hf:a/b@@"],
  ];
  for (const name of wrong.filter((each) => each !== "hf:a/b@@")) {
    assert.throws(
      () => parseHubName(name),
      (error: Error) => error.message.startsWith("source: expected hf:owner/repo/file@revision"),
      name,
    );
  }
});

test("the keys of any URL are plain names, distinct for each", async () => {
  const urls = [
    ...["http://h/../../etc/passwd", "http://h/a/..%2f..%2fb", "http://h/CON", "http://h/con"],
    ...["http://h/", "http://h/a.gguf", "http://h/A.gguf", "http://h/a.gguf?x", "http://g/a.gguf"],
    ...[`http://h/${"x".repeat(5000)}`, "http://h/%00", "http://h/日本.gguf", "http://h/.hidden"],
  ];
  const keys = await Promise.all(urls.map((url) => storeKey(new URL(url))));
  assert.is(new Set(keys.map((key) => key.toLowerCase())).size, urls.length);
  for (const key of keys) assert.match(key, /^[a-z0-9_-]{1,90}$/);
});

test("a repository stands for its only model; else the name must choose", async () => {
  const { hub } = await start(["README.md", "sub/only.gguf"]);
  const [stored] = await models.pull("hf:owner/repo");
  assert.is(stored.source, "hf:owner/repo/sub/only.gguf");
  hub.files["other.gguf"] = FILE;
  const choice = await errorOf(models.pull("hf:owner/repo"));
  assert.is(choice.code, "INVALID_ARGUMENT");
  assert.match(choice.message, 'expected one GGUF file, got 2; name one of "sub/only.gguf"');
  const missing = await errorOf(models.pull("hf:owner/repo/none.gguf"));
  assert.is(missing.code, "UNREADABLE_FILE");
  assert.match(
    missing.message,
    /expected a file of the repository \("README.md", .*got "none.gguf"/,
  );
  const foreign = await errorOf(models.pull("hf:owner/absent/x.gguf"));
  assert.match(foreign.message, "404");
  await hub.close();
});

test("all parts of a split file are downloaded", async () => {
  const parts = [1, 2, 3].map((i) => `m-0000${i}-of-00003.gguf`);
  const { hub } = await start(parts);
  const stored = await models.pull(`hf:owner/repo/${parts[1]}`);
  assert.equal(
    stored.map(({ source }) => source),
    parts.map((part) => `hf:owner/repo/${part}`),
  );
  assert.is(await models.remove(`hf:owner/repo/${parts[0]}`), 3);
  assert.equal(await models.list(), []);
  await hub.close();
});

test("the list, and removing", async () => {
  const { hub, store } = await start(["a.gguf", "b.gguf"]);
  const url = new URL("a.gguf", hub.url);
  await models.pull("hf:owner/repo/b.gguf");
  await models.pull(`${url.href}?key=secret`);
  const size = FILE.length;
  const whole = { sizeBytes: size, storedBytes: size, isWhole: true };
  assert.equal(await models.list(), [
    { source: "hf:owner/repo/b.gguf", ...whole, sha256: sha256Of(FILE) },
    { source: url.href, ...whole, sha256: undefined },
  ]);
  writeFileSync(join(store, "foreign"), "");
  assert.is(await models.remove(url), 1);
  assert.is(await models.remove("hf:owner/repo"), 1);
  assert.is(await models.remove("hf:owner/repo"), 0);
  assert.equal(readdirSync(store), ["foreign"], "what is not the store's stays");
  for (const wrong of ["m.gguf", "", "file:///x"]) {
    assert.is((await errorOf(models.remove(wrong))).code, "INVALID_ARGUMENT");
    assert.is((await errorOf(models.pull(wrong))).code, "INVALID_ARGUMENT");
  }
  await hub.close();
});

test("only the hub is sent the token; an inspection stores nothing", async () => {
  const { hub, store } = await start(["a.gguf"]);
  await models.pull("hf:owner/repo/a.gguf", { token: "secret" });
  assert.ok(hub.tokens.length > 1 && hub.tokens.every((token) => token === "Bearer secret"));
  hub.tokens.length = 0;
  await models.remove("hf:owner/repo");
  await models.pull(new URL("a.gguf", hub.url), { token: "secret" });
  assert.ok(hub.tokens.every((token) => token === undefined));
  await models.remove(new URL("a.gguf", hub.url));
  process.env.HF_TOKEN = "from the environment";
  const { message } = await errorOf(loadModel("hf:owner/repo/a.gguf"));
  assert.is(message, "token: expected visible ASCII characters, got something else");
  delete process.env.HF_TOKEN;
  await errorOf(inspectModel("hf:owner/repo/a.gguf"));
  assert.equal(filesIn(store), []);
  await hub.close();
});

test("options that are wrong are named, and nothing is requested", async () => {
  const { hub } = await start(["a.gguf"]);
  const wrong = { store: 1, hub: "ftp://x", token: 5, sha256: "ab", connections: 0, fetch: 2 };
  for (const [name, value] of Object.entries(wrong)) {
    const options = { [name]: value };
    const { code, message } = await errorOf(loadModel("hf:owner/repo/a.gguf", options as never));
    assert.is(code, "INVALID_ARGUMENT");
    assert.match(message, new RegExp(`^${name}: expected `));
  }
  assert.equal(hub.requests, []);
  await hub.close();
});

test("an answer of the hub that is none is refused", async () => {
  const { hub } = await start([]);
  for (const name of ["../up.gguf", "a/../../b.gguf", "/etc/x.gguf"]) {
    hub.files = { [name]: FILE };
    const { message } = await errorOf(models.pull("hf:owner/repo"));
    assert.match(message, "expected one GGUF file, got none");
  }
  await hub.close();
});

test("manifests: 5,000 mutants are read or refused, never trusted beyond their form", () => {
  const facts = { source: "hf:a/b/c", size: 9_000_000, etag: '"x"', lastModified: undefined };
  const manifest = emptyManifest({ ...facts, sha256: "0".repeat(64) });
  manifest.blocks[1] = 0xdeadbeef;
  const bytes = encodeManifest(manifest);
  assert.equal(parseManifest(bytes), manifest);
  const random = seededRandom(9);
  for (let i = 0; i < 5_000; i++) {
    const mutant = bytes.slice(0, random() < 0.2 ? random() * bytes.length : bytes.length);
    for (let k = 0; k < 1 + random() * 3; k++) mutant[random() * mutant.length] = random() * 128;
    const parsed = parseManifest(mutant);
    if (parsed === undefined) continue;
    const { size } = parsed.facts;
    assert.ok(Number.isSafeInteger(size) && size > 0);
    assert.is(parsed.blocks.length, Math.ceil(size / (4 << 20)));
    assert.ok(!parsed.isWhole || !parsed.blocks.includes(undefined));
  }
});

test.run();
