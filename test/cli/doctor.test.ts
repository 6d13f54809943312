import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import os from "node:os";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Report } from "../../src/cli/doctor/report.js";
import { withoutPaths } from "../../src/cli/doctor/without-paths.js";
import { loadModel } from "../../src/index.js";
import { kernelsBytes } from "../../src/kernels/index.js";
import { json, output } from "./support/plm.js";

const SHIPPED = resolve("models/plm-tiny.gguf");

test("the facts are those of this machine", async () => {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  const report = await json<Report>("doctor", "--quick");
  assert.is(report.version, version);
  const { node, v8 } = process.versions;
  assert.equal(report.runtime, { name: "Node", version: node, engine: `V8 ${v8}` });
  const platform = { system: os.platform(), release: os.release(), architecture: os.arch() };
  assert.equal(report.platform, platform);
  const { model, count, parallelism, avxVnni } = report.processor;
  assert.equal([count, parallelism], [os.cpus().length, os.availableParallelism()]);
  assert.is(model, os.cpus()[0].model.trim());
  assert.ok(avxVnni === null || typeof avxVnni === "boolean");
  const { totalBytes, freeBytes, containerBytes, wasmLimitBytes } = report.memory;
  assert.is(totalBytes, os.totalmem());
  assert.ok(freeBytes > 0 && freeBytes < totalBytes);
  assert.ok(containerBytes === null || (containerBytes > 0 && containerBytes < totalBytes));
  assert.is(wasmLimitBytes, 2 ** 32);
  assert.is(report.benchmark, null);
  assert.equal(report.problems, []);
});

test("features and choice are what loading finds", async () => {
  const { features, choice } = await json<Report>("doctor", "--quick");
  const { wasm, simd, sharedMemory, threads, relaxedDot } = features;
  assert.equal([wasm, simd, sharedMemory], [true, true, true]);
  assert.is(threads, os.availableParallelism() > 1 ? true : null);
  assert.is(relaxedDot !== null, WebAssembly.validate(kernelsBytes("relaxed")));
  const model = await loadModel(SHIPPED);
  assert.is(choice!.variant, model.variant);
  assert.is(choice!.variant === "relaxed", relaxedDot === "u8" || relaxedDot === "s8");
  assert.ok(choice!.threads >= 1 && choice!.threads <= os.availableParallelism());
  const kernels = Object.entries(choice!.kernels);
  assert.ok(kernels.length > 0);
  for (const [type, { gmacs }] of kernels) {
    if (gmacs !== null) assert.ok(gmacs.exact > 0 && gmacs.onePlane > 0, type);
  }
  for (const reason of ["variantReason", "threadsReason", "kernelsReason"] as const) {
    assert.match(choice![reason], /^[a-z].{10,}/, reason);
  }
  model.dispose();
});

test("for people: aligned lines, and nothing that is private", async () => {
  const text = await output("doctor");
  const lines = text.trimEnd().split("\n");
  const at = lines[0].indexOf("plm-wasm");
  for (const line of lines) {
    assert.match(line.slice(0, at), / {2}$/, line);
    assert.match(line.slice(at), /^\S/, line);
    assert.ok(line.length < 130, line);
  }
  const rates = /^(\d+) threads? +prefill of 128 (\d+) tokens\/s, decode of 32 (\d+) tokens\/s$/gm;
  const measured = Array.from(text.matchAll(rates), ([, ...numbers]) => numbers.map(Number));
  const counts = [...new Set([1, os.availableParallelism()])];
  assert.equal(
    measured.map(([count]) => count),
    counts,
  );
  for (const [, prefill, decode] of measured) assert.ok(prefill > 0 && decode > 0);
  const { HOME, PWD, PATH } = process.env;
  for (const value of [os.homedir(), HOME, PWD, PATH]) {
    if (value !== undefined && value.length > 1) assert.not(text.includes(value), value);
  }
});

test("a machine without WebAssembly gets a report of that", () => {
  const args = ["--jitless", resolve("build/src/cli/main.js"), "doctor", "--json"];
  const stdio = ["ignore", "pipe", "ignore"] as const;
  const stdout = execFileSync(process.execPath, args, { encoding: "utf8", stdio: [...stdio] });
  const { features, choice, benchmark, problems } = JSON.parse(stdout) as Report;
  assert.equal([features.wasm, choice, benchmark], [false, null, null]);
  assert.match(problems[0], /expected WebAssembly, got none/);
});

test("errors that name places lose them", () => {
  const places = `${SHIPPED} ${pathToFileURL(SHIPPED)} ${os.homedir()}/x`;
  const shown = "plm-wasm/models/plm-tiny.gguf plm-wasm/models/plm-tiny.gguf ~/x";
  assert.equal(withoutPaths({ problems: [places], n: 1 }), { problems: [shown], n: 1 });
});

test.run();
