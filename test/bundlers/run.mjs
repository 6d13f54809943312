// Builds a program with the named bundlers, or with all except Next.js, runs the results, and
// expects threads to start and the text to be the same: node run.mjs [esbuild rollup vite ...]
import { runChecks } from "../runtimes/checks.mjs";
import { expectedIn, makeApp } from "./app.mjs";

const DEFAULT = ["esbuild", "rollup", "vite", "webpack", "parcel", "bun", "vitest"];
const KNOWN = [...DEFAULT, "next"];

const names = process.argv.length > 2 ? process.argv.slice(2) : DEFAULT;
const unknown = names.find((name) => !KNOWN.includes(name));
if (unknown !== undefined) {
  console.error(`run.mjs: expected ${KNOWN.join(", ")}; got ${unknown}`);
  process.exit(2);
}
const app = makeApp();
const expected = expectedIn(app);
const checks = {};
for (const name of names) {
  const { default: checksOf } = await import(`./${name}.mjs`);
  Object.assign(checks, checksOf(app, expected));
}
const { failed } = await runChecks(checks);
process.exit(failed === 0 ? 0 : 1);
