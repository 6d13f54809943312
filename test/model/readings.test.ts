/**
 * Engines whose relaxed dot reads s8 give the bits of those where it reads u8: both emulated, and
 * this engine's own dot where it has one that is exact.
 */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { LoadOptions } from "../../src/engine/load.js";
import { TENSOR_TYPES, type TensorType } from "../../src/format/dtypes.js";
import { kernelsBytes, loadKernels } from "../../src/kernels/load.js";
import { isFloatType } from "../../src/kernels/packed.js";
import { PACKED_TYPE_OF } from "../../src/model/weights.js";
import { emulatedRelaxed } from "../kernels/support/emulated.js";
import { isRelaxedExact } from "../kernels/support/wasm.js";
import { engineLogits, loadEngine } from "./support/engine.js";
import { K_DIMS, Q8_CACHE_DIMS, tinyModel, tinyTokens } from "./support/tiny.js";

/** Logits of prefill, of decoding, and of decoding two sequences at once. */
async function logitsOf(
  file: Uint8Array<ArrayBuffer>,
  wasm: Uint8Array<ArrayBuffer>,
  options: LoadOptions,
): Promise<Float32Array[]> {
  const model = await loadEngine(file, { ...options, wasm, threads: options.threads ?? 1 });
  assert.is(model.variant, "relaxed");
  const tokens = tinyTokens(30);
  const logits = [
    ...(await engineLogits(model, tokens)),
    ...(await engineLogits(model, tokens.slice(0, 9), { chunkSize: 1 })),
  ];
  const sessions = [model.createSession(), model.createSession(), model.createSession()];
  await Promise.all(sessions.map((session, i) => session.evaluate(tokens.slice(0, 12 + i))));
  const decode = { phase: "decode" } as const;
  const rows = sessions.map((session, i) => session.evaluate([tokens[20 + i]], decode));
  logits.push(...(await Promise.all(rows)));
  model.dispose();
  return logits;
}

const U8 = await emulatedRelaxed("u8");
const OTHERS = [await emulatedRelaxed("s8")];
if (await isRelaxedExact()) OTHERS.push(kernelsBytes("relaxed"));

/** All quantised types, or those named in READINGS, for slow machines. */
const NAMED = process.env.READINGS?.split(" ").filter((type) => type !== "");
const QUANTIZED = (Object.keys(TENSOR_TYPES) as TensorType[]).filter(
  (type) => !isFloatType(PACKED_TYPE_OF[type]) && (!NAMED?.length || NAMED.includes(type)),
);

for (const type of QUANTIZED) {
  test(`${type}: the same bits, in any precision`, async () => {
    const dims = type.endsWith("_K") ? { ...K_DIMS, qkRopeHeadDim: 32 } : Q8_CACHE_DIMS;
    const file = tinyModel({ type, dims });
    for (const options of [
      { precision: "exact", cacheType: "q8_0" },
      { precision: "balanced" },
      { precision: "fast", threads: 2 },
    ] as const) {
      const expected = await logitsOf(file, U8, options);
      for (const wasm of OTHERS) {
        assert.equal(await logitsOf(file, wasm, options), expected, JSON.stringify(options));
      }
    }
  });
}

test("kernels that are not given a reading do not instantiate", async () => {
  const module = await WebAssembly.compile(U8);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  assert.throws(
    () => new WebAssembly.Instance(module, { env: { memory } }),
    (error: Error) => error instanceof WebAssembly.LinkError,
  );
  const { reading } = await loadKernels(memory, { binary: await emulatedRelaxed("s8") });
  assert.is(reading, "s8");
});

test.run();
