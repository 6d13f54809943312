// Compiles a program that uses every export of the packed package, with each TypeScript, library
// and module resolution, and runs publint and Are The Types Wrong on the package.
import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { runChecks } from "../runtimes/checks.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The oldest and the newest, and versions between where the language changed. */
const COMPILERS = ["5.0", "5.4", "5.9", "7.0"];
/** The minimum, and the libraries of programs for Node and for browsers. */
const LIBRARIES = [
  { lib: ["es2020"], types: [] },
  { lib: ["es2022"], types: ["node"] },
  { lib: ["es2022", "dom", "dom.iterable"], types: [] },
];
const RESOLUTIONS = [
  { module: "node16", moduleResolution: "node16" },
  { module: "nodenext", moduleResolution: "nodenext" },
  { module: "esnext", moduleResolution: "bundler" },
];

const folder = mkdtempSync(join(tmpdir(), "plm-wasm-types-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Runs a program to its end. Rejects with its output if it fails. */
async function run(file, args) {
  try {
    await promisify(execFile)(file, args, { cwd: folder });
  } catch (error) {
    throw new Error(`${error.stdout}${error.stderr}`);
  }
}

const packing = ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder];
const name = execFileSync("npm", packing, { cwd: ROOT, encoding: "utf8" }).trim();
const tarball = join(folder, name);
const installed = join(folder, "node_modules/plm-wasm");
mkdirSync(installed, { recursive: true });
execFileSync("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"]);
writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
copyFileSync(join(HERE, "program.ts"), join(folder, "program.ts"));

const checks = {};
for (const compiler of COMPILERS) {
  for (const { lib, types } of LIBRARIES) {
    for (const resolution of RESOLUTIONS) {
      const names = [...lib, ...types].join(" ");
      const title = `TypeScript ${compiler}, ${names}, ${resolution.moduleResolution}`;
      checks[title] = async () => {
        const compilerOptions = {
          ...resolution,
          lib,
          target: "es2020",
          types,
          typeRoots: [join(HERE, "node_modules/@types")],
          strict: true,
          // Node's own types do not compile with it.
          exactOptionalPropertyTypes: types.length === 0,
          noEmit: true,
          skipLibCheck: false,
        };
        const config = { compilerOptions, files: ["program.ts"] };
        writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
        const bin = join(HERE, `node_modules/typescript${compiler}/bin/tsc`);
        await run(process.execPath, [bin, "-p", "."]);
      };
    }
  }
}
checks.publint = () =>
  run(process.execPath, [join(HERE, "node_modules/publint/src/cli.js"), tarball, "--strict"]);
checks["Are The Types Wrong"] = () => {
  const attw = join(HERE, "node_modules/@arethetypeswrong/cli/dist/index.js");
  return run(process.execPath, [attw, tarball, "--profile", "esm-only"]);
};
const { failed } = await runChecks(checks);
process.exit(failed === 0 ? 0 : 1);
