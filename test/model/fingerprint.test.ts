import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { SNAPSHOT } from "../../src/cache/snapshot.js";
import { loadPlm } from "../../src/engine/load.js";
import { planModel } from "../../src/engine/plan.js";
import { stagingOf } from "../../src/engine/thread.js";
import { TENSOR_TYPES, type TensorType } from "../../src/format/dtypes.js";
import { decodeHeader, decodePrefix, PREFIX_BYTES } from "../../src/format/frame.js";
import { openGguf } from "../../src/format/gguf.js";
import { encodeGguf } from "../../src/format/writer.js";
import { kernelsBytes, loadKernels } from "../../src/kernels/load.js";
import { readWeights } from "../../src/loading/read-weights.js";
import { fingerprintOf, sampleWeight } from "../../src/model/fingerprint.js";
import { openSources } from "../../src/sources/source.js";
import { emulatedRelaxed } from "../kernels/support/emulated.js";
import { relaxedKernels } from "../kernels/support/wasm.js";
import {
  K_DIMS,
  ODD_DIMS,
  SMALL_DIMS,
  type TinyOptions,
  type TinyParts,
  tinyModel,
} from "./support/tiny.js";

const SIMD = await WebAssembly.compile(kernelsBytes("simd"));
const RELAXED = await WebAssembly.compile(await relaxedKernels());
const SIGNED = await WebAssembly.compile(await emulatedRelaxed("s8"));

/** The fingerprint of a file's model. */
async function fingerprint(file: Uint8Array, binary: WebAssembly.Module = SIMD): Promise<string> {
  const gguf = await openGguf(await openSources(file));
  const plan = planModel(gguf, { threads: 1, contextLength: 16 });
  const memory = plan.memory.allocate();
  const { kernels, reading } = await loadKernels(memory, { binary });
  const target = { kernels, memory, ...stagingOf(plan), helpers: Promise.resolve(0) };
  await readWeights(gguf, plan.weights, target, {});
  return fingerprintOf(plan.config, plan.weights, (weight) =>
    sampleWeight(weight, memory, reading),
  );
}

test("16 hexadecimal digits, the same for the same file with any kernels", async () => {
  for (const type of Object.keys(TENSOR_TYPES) as TensorType[]) {
    const file = tinyModel({ type, dims: type.endsWith("_K") ? K_DIMS : SMALL_DIMS });
    const found = await fingerprint(file);
    assert.match(found, /^[0-9a-f]{16}$/);
    assert.is(await fingerprint(file, RELAXED), found, type);
    assert.is(await fingerprint(file, SIGNED), found, `${type}, read as s8`);
  }
});

test("the same on any number of threads", async () => {
  const file = tinyModel({ type: "Q8_0", dims: ODD_DIMS });
  const gguf = await openGguf(await openSources(file));
  for (const threads of [1, 2, 3]) {
    const model = await loadPlm(gguf, { variant: "simd", threads });
    const saved = await model.createSession().save();
    model.dispose();
    const { headerBytes } = decodePrefix(SNAPSHOT, saved);
    const header = decodeHeader(SNAPSHOT, saved.subarray(PREFIX_BYTES, PREFIX_BYTES + headerBytes));
    assert.is((header as { model: string }).model, await fingerprint(file), `${threads} threads`);
  }
});

test("the fingerprint of the model that ships does not change", async () => {
  assert.is(await fingerprint(readFileSync("models/plm-tiny.gguf")), "f2d9b96f7be728d9");
});

/** The parts of a file. */
function partsOf(options: TinyOptions): TinyParts {
  let parts: TinyParts | undefined;
  tinyModel(options, (own) => {
    parts = own;
  });
  return parts!;
}

test("any other tensor is another model", async () => {
  const cases: TinyOptions[] = [
    { tied: false },
    { splitKvB: true },
    { type: "Q8_0", tied: false },
    { type: "Q4_K", dims: { ...K_DIMS, numHiddenLayers: 1 } },
  ];
  for (const options of cases) {
    const { metadata, tensors } = partsOf(options);
    const others = partsOf({ ...options, seed: 2 }).tensors;
    const found = new Set<string>();
    for (const replaced of [undefined, ...others.keys()]) {
      const chosen = Array.from(tensors, ([name, tensor]) =>
        name === replaced ? others.get(name)! : tensor,
      );
      found.add(await fingerprint(encodeGguf([...metadata.values()], chosen)));
    }
    assert.is(found.size, 1 + tensors.size);
  }
});

test("so is another config or type; other metadata is not", async () => {
  const own = await fingerprint(tinyModel());
  const changed = (key: string, value: number) =>
    tinyModel({}, ({ metadata }) => {
      metadata.set(key, { key, type: "float32", value });
    });
  assert.is.not(await fingerprint(changed("plm.rope.freq_base", 90000)), own);
  assert.is.not(await fingerprint(changed("plm.attention.layer_norm_rms_epsilon", 1e-5)), own);
  assert.is.not(await fingerprint(tinyModel({ type: "F16" })), own);
  assert.is(await fingerprint(changed("general.size", 7)), own);
});

test.run();
