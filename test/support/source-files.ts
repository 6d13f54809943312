/** The project's source files as text, for tests of the house rules. */
import { existsSync, readdirSync, readFileSync } from "node:fs";

export interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** What it imports: paths from the root, "#platform", or names of packages. */
  readonly imports: readonly string[];
}

export const files: readonly SourceFile[] = ["assembly", "src", "test", "bench", "scripts"]
  .filter(existsSync)
  .flatMap(filesOf);

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

/** The imports of a text at a path. */
export function importsOf(path: string, text: string): string[] {
  const pattern = /^(?:import|export|\})[^"'`;]*?from "([^"]+)"|\bimport\(?\s*"([^"]+)"/gm;
  return Array.from(text.matchAll(pattern), ([, from, other]) => {
    const specifier = from ?? other;
    if (!specifier.startsWith(".")) return specifier;
    const resolved = new URL(specifier, `file:///${path}`).pathname.slice(1);
    return resolved.replace(/\.js$/, ".ts");
  });
}

/** The part of src that a path lies in: a folder or a file of its root. */
export const partOf = (path: string): string => path.split("/")[1];

/** The files below a folder. */
export const inFolder = (folder: string): SourceFile[] =>
  files.filter(({ path }) => path.startsWith(`${folder}/`));
