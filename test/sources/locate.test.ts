/** Names with a colon: a path where there are files, a URL if it starts like one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import platform from "#platform";
import { locate } from "../../src/sources/locate.js";
import { closeSources, openSources } from "../../src/sources/source.js";
import { sampleFile } from "../format/support/sample.js";
import { errorOf } from "./support/error-of.js";

/** Runs `work` in a folder of its own. */
async function inFolder(work: () => Promise<void>): Promise<void> {
  const [before, folder] = [process.cwd(), mkdtempSync(join(tmpdir(), "plm-locate-"))];
  try {
    process.chdir(folder);
    await work();
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  }
}

/** Runs `work` as on a page, where there are no files. */
async function onPage(href: string | undefined, work: () => void | Promise<void>): Promise<void> {
  const location = Object.getOwnPropertyDescriptor(globalThis, "location");
  Object.assign(platform, { hasFiles: false });
  Object.defineProperty(globalThis, "location", { value: href && { href }, configurable: true });
  try {
    await work();
  } finally {
    Object.assign(platform, { hasFiles: true });
    if (location !== undefined) Object.defineProperty(globalThis, "location", location);
    else Reflect.deleteProperty(globalThis, "location");
  }
}

// Windows has no such names.
(process.platform === "win32" ? test.skip : test)("files with a colon are found", async () => {
  await inFolder(async () => {
    mkdirSync("models:7b");
    const names = ["model:latest.gguf", "hf:m.gguf", "C:m.gguf", "models:7b/m.gguf", "http:m"];
    for (const name of names) {
      writeFileSync(name, sampleFile());
      const sources = await openSources(name);
      assert.is(sources[0].size, sampleFile().length, name);
      await closeSources(sources);
    }
  });
});

test("the error of a name that is neither a file nor a URL says so", async () => {
  const missing = [
    "hub:owner/m.gguf",
    "model:latest.gguf",
    "s3://bucket/m.gguf",
    "https:/h/m.gguf",
  ];
  for (const name of missing) {
    const { code, message } = await errorOf(openSources(name));
    assert.is(code, "UNREADABLE_FILE", name);
    const scheme = name.slice(0, name.indexOf(":") + 1);
    assert.match(message, /^\S+: ENOENT/);
    assert.ok(message.endsWith(`data:, blob:, hf:owner/repo, got ${scheme}`));
  }
  for (const name of ["C:\\models\\m.gguf", "c:/models/m.gguf", "models/m.gguf"]) {
    const { code, message } = await errorOf(openSources(name));
    assert.is(code, "UNREADABLE_FILE", name);
    assert.ok(message.includes(name) && !message.includes("URL"), message);
  }
});

test("URLs are URLs, in any case", async () => {
  for (const name of [
    "https://h/m.gguf",
    "HTTP://h/m.gguf",
    "file:///m.gguf",
    "blob:x",
    "data:,x",
  ]) {
    assert.instance(locate(name), URL, name);
  }
  const data = `data:;base64,${Buffer.from(sampleFile()).toString("base64")}`;
  const [source] = await openSources(data);
  const target = new Uint8Array(sampleFile().length);
  assert.is(await source.read(0, target), target.length);
  assert.equal(target, sampleFile());
});

test("on a page, names are relative to it", async () => {
  await onPage("https://h/app/index.html", () => {
    const urls = {
      "m.gguf": "https://h/app/m.gguf",
      "/m.gguf": "https://h/m.gguf",
      "model:latest.gguf": "https://h/app/model:latest.gguf",
      "hf:owner/m.gguf": "https://h/app/hf:owner/m.gguf",
      "//cdn/m.gguf": "https://cdn/m.gguf",
      "https://cdn/m.gguf": "https://cdn/m.gguf",
      "blob:https://h/1": "blob:https://h/1",
      "chrome-extension://id/m.gguf": "chrome-extension://id/m.gguf",
    };
    for (const [name, href] of Object.entries(urls)) assert.is(String(locate(name)), href);
    assert.is(locate("C:\\m.gguf"), "C:\\m.gguf");
  });
});

test("with neither a page nor files, anything but a URL is refused", async () => {
  await onPage(undefined, async () => {
    for (const name of ["m.gguf", "model:latest.gguf", "http://["]) {
      const { code, message } = await errorOf(openSources(name));
      assert.is(code, "INVALID_ARGUMENT");
      assert.match(message, "got neither");
    }
    assert.is(String(locate("https://h/m.gguf")), "https://h/m.gguf");
  });
});

test.run();
