/** Runs the package in separate realms; prints the results as JSON. Needs vm modules. */
import { PlmError } from "../../../src/errors.js";
import type { ModelSource } from "../../../src/index.js";
import { kernelsBytes } from "../../../src/kernels/load.js";
import { tinyModel } from "../../model/support/tiny.js";
import { loadPackage, type Package } from "./package-in-realm.js";

/** Globals that the package cannot do without. */
const NEEDED = { TextDecoder, TextEncoder, atob };

const FILE = tinyModel({ type: "Q8_0", chatTemplate: "{{ messages[0].content }}" });
const DATA_URL = `data:;base64,${Buffer.from(FILE).toString("base64")}`;
const GREEDY = { maxTokens: 5, temperature: 0, ignoreEos: true };

async function tokensOf({ loadModel }: Package, ...args: Parameters<Package["loadModel"]>) {
  const model = await loadModel(...args);
  const { tokens } = await model.generate("Once", GREEDY).result();
  model.dispose();
  return tokens.join();
}

/** The globals asked for, one after another, until a text is generated. */
async function missingGlobals(source: ModelSource, offered: object): Promise<string[]> {
  const globals: Record<string, unknown> = {};
  const missing: string[] = [];
  for (let i = 0; i < 10; i++) {
    const realm = await loadPackage(globals);
    try {
      await tokensOf(realm, source);
      return missing;
    } catch (error) {
      const [, name] = /^expected the global (\w+), this/.exec((error as Error).message) ?? [];
      const { code } = error as PlmError;
      if (name === undefined || code !== "UNSUPPORTED_RUNTIME") return [...missing, String(error)];
      missing.push(name);
      if (!(name in offered)) return missing;
      globals[name] = offered[name as keyof typeof offered];
    }
  }
  return missing;
}

/** Sources, and their names in the report. */
function sources(): Record<string, ModelSource> {
  return {
    "a Uint8Array": FILE,
    "an ArrayBuffer": FILE.buffer,
    "a DataView": new DataView(FILE.buffer),
    "a Blob": new Blob([FILE]),
    "a File": new File([FILE], "m.gguf"),
    "a ReadableStream": new Blob([FILE]).stream() as ReadableStream<Uint8Array>,
    "a Response": new Response(FILE),
    "an array": [FILE],
  };
}

async function takesObjects(realm: Package): Promise<Record<string, string>> {
  const report: Record<string, string> = {};
  for (const [name, source] of Object.entries(sources())) {
    report[name] = await tokensOf(realm, source).catch(String);
  }
  const module = await WebAssembly.compile(kernelsBytes());
  const { signal } = new AbortController();
  report["a WebAssembly.Module and a signal"] = await tokensOf(realm, FILE, {
    wasm: module,
    signal,
  }).catch(String);
  report["the kernels' bytes"] = await tokensOf(realm, FILE, { wasm: kernelsBytes() }).catch(
    String,
  );
  return report;
}

/** What a model does with a caller's Map and array of logits, and how its errors are recognised. */
async function usesObjects(realm: Package): Promise<Record<string, unknown>> {
  const model = await realm.loadModel(FILE);
  const banned = new Map([[65, 1000]]);
  const { tokens } = await model.generate("Once", { ...GREEDY, logitBias: banned }).result();
  const messages = [{ role: "user", content: "Once" }];
  const chat = await model.chat(messages, { ...GREEDY, stop: ["\u0000\u0000"] }).result();
  const session = model.createSession();
  const out = new Float32Array(model.config.vocabSize);
  const isOut = (await session.evaluate([1, 2, 3], { out })) === out;
  session.dispose();
  const error = await realm.loadModel(FILE.slice(0, 99)).catch((thrown: unknown) => thrown);
  const again = PlmError.from(error);
  return {
    biased: tokens.join(),
    chat: chat.tokens.join(),
    isOut,
    isInstance: error instanceof PlmError,
    restored: [again instanceof PlmError, again?.code, again?.message === (error as Error).message],
  };
}

const realm = await loadPackage(NEEDED);
const report = {
  expected: await tokensOf(await import("../../../src/index.js"), FILE, { threads: 1 }),
  missing: await missingGlobals(FILE, NEEDED),
  missingForUrl: await missingGlobals("http://127.0.0.1:1/m.gguf", { URL }),
  objects: await takesObjects(realm),
  // There is no AbortController.
  fetched: await tokensOf(await loadPackage({ ...NEEDED, URL, fetch }), DATA_URL).catch(String),
  uses: await usesObjects(realm),
};
console.log(JSON.stringify(report));
