// The README's table of runtimes: what run.mjs found out.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const README = new URL("../../README.md", import.meta.url);
const HEAD = "| runtime | version | checks that pass |\n| --- | --- | --- |\n";
const ROW = /^\| ([^|]+) \| ([^|]+) \| (\d+) \|\n/;

/** What a program says of its version. */
export function versionOf(program) {
  const stdio = ["ignore", "pipe", "ignore"];
  return execFileSync(program, ["--version"], { encoding: "utf8", stdio });
}

/** The first two parts of a text's first number, or a date. */
export function shortened(text = "") {
  return /\d+-\d+-\d+|\d+\.\d+/.exec(text)?.[0] ?? "unknown";
}

/** The README in three parts: before the table, its rows by name, and what follows. */
function parts() {
  const text = readFileSync(README, "utf8");
  const start = text.indexOf(HEAD) + HEAD.length;
  if (start < HEAD.length) throw new Error(`README.md: expected a table that begins with ${HEAD}`);
  const rows = new Map();
  let rest = text.slice(start);
  for (let row = ROW.exec(rest); row !== null; row = ROW.exec(rest)) {
    rows.set(row[1], { version: row[2], passed: Number(row[3]) });
    rest = rest.slice(row[0].length);
  }
  return { before: text.slice(0, start), rows, rest };
}

/** Writes rows, by the names of runtimes. */
export function writeTable(found) {
  const { before, rest } = parts();
  const lines = Array.from(
    found,
    ([name, { version, passed }]) => `| ${name} | ${version} | ${passed} |\n`,
  );
  writeFileSync(README, before + lines.join("") + rest);
}

/** Where the README's table says something else than was found; versions may be newer. */
export function differences(found) {
  const { rows } = parts();
  const names = new Set([...rows.keys(), ...found.keys()]);
  return Array.from(names).flatMap((name) => {
    const [said, is] = [rows.get(name)?.passed, found.get(name)?.passed];
    return said === is ? [] : [`README.md: ${name}: expected ${is} checks, got ${said}`];
  });
}
