/** Loads the package's modules into a vm context, where no global is Node's. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Context, createContext, SourceTextModule } from "node:vm";

const INDEX = pathToFileURL(resolve("build/src/index.js")).href;
/** The platform with the fewest requirements. */
const PLATFORM = pathToFileURL(resolve("build/src/platform/web.js")).href;

/** The package's public exports. */
export type Package = typeof import("../../../src/index.js");

/** A realm with nothing but the language, WebAssembly and these globals, and the package in it. */
export async function loadPackage(globals: Record<string, unknown>): Promise<Package> {
  // The AssemblyScript loader, if imported with the rest, needs it.
  const context = createContext({ TextDecoder, ...globals });
  const found = (await evaluate(context)) as unknown as Package;
  if (!("TextDecoder" in globals)) context.TextDecoder = undefined;
  return found;
}

async function evaluate(context: Context): Promise<object> {
  const modules = new Map<string, SourceTextModule>();
  const moduleOf = (url: string): SourceTextModule => {
    const known = modules.get(url);
    if (known !== undefined) return known;
    const module = new SourceTextModule(readFileSync(fileURLToPath(url), "utf8"), {
      context,
      identifier: url,
      initializeImportMeta: (meta) => {
        meta.url = url;
      },
    });
    modules.set(url, module);
    return module;
  };
  const entry = moduleOf(INDEX);
  await entry.link((specifier, { identifier }) => {
    if (specifier === "#platform") return moduleOf(PLATFORM);
    const isFile = specifier.startsWith(".");
    return moduleOf(isFile ? new URL(specifier, identifier).href : import.meta.resolve(specifier));
  });
  await entry.evaluate();
  return entry.namespace;
}
