/**
 * The package in a realm that may not compile WebAssembly, as under a Content-Security-Policy: a
 * vm context. Writes the code and message of loading's error. Needs --experimental-vm-modules.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import vm from "node:vm";

/** The globals of a page, besides the language's. */
const { TextDecoder, TextEncoder, URL, atob, crypto, performance, setTimeout } = globalThis;
const { MessageChannel, clearTimeout } = globalThis;
const globals = { TextDecoder, TextEncoder, URL, atob, crypto, performance, setTimeout };
const file = readFileSync("models/plm-test.gguf").toString("base64");
const context = vm.createContext(
  { ...globals, MessageChannel, clearTimeout, file },
  { codeGeneration: { wasm: false, strings: false } },
);
const PLATFORM = pathToFileURL(resolve("build/src/platform/web.js")).href;
const modules = new Map<string, vm.Module>();

async function moduleOf(specifier: string, base: string): Promise<vm.Module> {
  const isPlatform = specifier === "#platform";
  const url = new URL(isPlatform ? PLATFORM : specifier, base).href;
  const known = modules.get(url);
  if (known !== undefined) return known;
  const isFile = isPlatform || specifier.startsWith(".");
  const made = isFile ? sourceOf(readFileSync(new URL(url), "utf8"), url) : await copyOf(specifier);
  modules.set(url, made);
  return made;
}

function sourceOf(text: string, identifier: string): vm.Module {
  return new vm.SourceTextModule(text, { context, identifier });
}

/** A package, imported from outside the realm. */
async function copyOf(name: string): Promise<vm.Module> {
  const values = (await import(name)) as Record<string, unknown>;
  const names = Object.keys(values);
  const evaluate = function (this: vm.SyntheticModule): void {
    for (const each of names) this.setExport(each, values[each]);
  };
  return new vm.SyntheticModule(names, evaluate, { context, identifier: name });
}

const main = sourceOf(
  `import { loadModel } from "../../../src/index.js";
  const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
  export const error = await loadModel(bytes).catch((error) => error);`,
  import.meta.url,
);
await main.link((specifier, { identifier }) =>
  moduleOf(specifier, identifier.startsWith("file:") ? identifier : import.meta.url),
);
await main.evaluate();
const { code, message } = (main.namespace as { error: { code: string; message: string } }).error;
console.log(JSON.stringify({ code, message }));
