/** Layers that stay in their file: the same results in less memory. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { LoadOptions } from "../../src/engine/load.js";
import type { Session } from "../../src/engine/session.js";
import type { TensorType } from "../../src/format/dtypes.js";
import { VARIANTS, type Variant } from "../../src/kernels/load.js";
import type { LoadProgress } from "../../src/loading/progress.js";
import { StreamSource } from "../../src/sources/stream-source.js";
import { assertRejects, loadEngine, planEngine } from "../model/support/engine.js";
import { ObservedSource } from "../model/support/observed-source.js";
import { claimProcessors } from "../model/support/processors.js";
import { K_DIMS, type TinyOptions, tinyModel, tinyTensors } from "../model/support/tiny.js";
import { DIMS, FILE, LAYERS, PROMPT } from "./support/streamed.js";

let unclaim: () => void;
test.before(() => {
  unclaim = claimProcessors(16);
});
test.after(() => unclaim());

/** The logits of a prompt, and of the tokens that follow one by one. */
async function logitsOf(session: Session): Promise<Float32Array[]> {
  const logits = [await session.evaluate(PROMPT, { logits: "all", chunkSize: 30 })];
  for (const token of [3, 5, 7]) logits.push(await session.evaluate([token]));
  return logits;
}

async function resultOf(file: Uint8Array, options: LoadOptions): Promise<Float32Array[]> {
  const model = await loadEngine(file, options);
  const logits = await logitsOf(model.createSession());
  model.dispose();
  return logits;
}

const FILES: Readonly<Record<string, TinyOptions>> = {
  Q8_0: { dims: DIMS, type: "Q8_0" },
  F32: { dims: DIMS, type: "F32", tied: false },
  "a split kv_b": { dims: DIMS, type: "F16", splitKvB: true },
  Q4_K: { dims: { ...K_DIMS, numHiddenLayers: LAYERS }, type: "Q4_K" },
};

/** Layers in memory and threads. */
const CASES: Readonly<Record<Variant, readonly [layers: number, threads: number][]>> = {
  simd: [
    [1, 2],
    [LAYERS, 1],
  ],
  relaxed: [
    [2, 3],
    [4, 1],
  ],
};

for (const [name, form] of Object.entries(FILES)) {
  test(`${name}: the same bits with fewer layers in memory, on any number of threads`, async () => {
    const file = tinyModel(form);
    for (const variant of VARIANTS) {
      const expected = await resultOf(file, { variant });
      for (const [residentLayers, threads] of CASES[variant]) {
        const what = `${variant}, ${residentLayers} layers, ${threads} threads`;
        assert.equal(await resultOf(file, { variant, residentLayers, threads }), expected, what);
      }
    }
  });
}

test("layers of different types take turns", async () => {
  const types: TensorType[] = ["Q4_0", "F16", "Q8_0", "Q5_1", "BF16"];
  const file = tinyModel({ dims: DIMS }, ({ tensors }) => {
    const others = types.map((type) => tinyTensors({ dims: DIMS, type }));
    for (const name of tensors.keys()) {
      const layer = /^blk\.(\d)\./.exec(name)?.[1];
      if (layer !== undefined) tensors.set(name, others[Number(layer)].get(name)!);
    }
  });
  const expected = await resultOf(file, {});
  for (const residentLayers of [1, 2, 3]) {
    assert.equal(await resultOf(file, { residentLayers, threads: 2 }), expected);
  }
});

test("memory holds that many layers; what is kept lies among what is streamed", async () => {
  const whole = await planEngine(FILE);
  const layerBytes = await layerBytesOf();
  for (let residentLayers = 1; residentLayers <= LAYERS; residentLayers++) {
    const { memory, weights } = await planEngine(FILE, { residentLayers });
    const left = LAYERS - residentLayers;
    const saved = whole.memory.bytes("weights") - memory.bytes("weights");
    assert.ok(Math.abs(saved - left * layerBytes) < 64 * LAYERS, `${residentLayers}: ${saved}`);
    assert.is(weights.streamed.length, left === 0 ? 0 : left + 1);
  }
  assert.equal((await planEngine(FILE, { residentLayers: 2 })).weights.streamed, [0, 1, 3, 4]);
  assert.equal((await planEngine(FILE, { residentLayers: 3 })).weights.streamed, [0, 2, 4]);
});

/** Bytes of one of the file's layers. */
async function layerBytesOf(): Promise<number> {
  const one = tinyModel({ dims: { ...DIMS, numHiddenLayers: 1 }, type: "Q8_0" });
  const two = tinyModel({ dims: { ...DIMS, numHiddenLayers: 2 }, type: "Q8_0" });
  const [a, b] = [await planEngine(one), await planEngine(two)];
  return b.memory.bytes("weights") - a.memory.bytes("weights");
}

test("loading reads every tensor once, and reports it", async () => {
  const source = new ObservedSource(FILE);
  const seen: LoadProgress[] = [];
  const onProgress = (progress: LoadProgress): unknown => seen.push(progress);
  const model = await loadEngine(source, { residentLayers: 2, onProgress });
  const { loadedBytes, totalBytes } = seen.at(-1)!;
  assert.is(loadedBytes, totalBytes);
  const whole: LoadProgress[] = [];
  await loadEngine(FILE, { onProgress: (progress) => whole.push(progress) });
  assert.is(totalBytes, whole.at(-1)!.totalBytes);
  seen.reduce((before, { loadedBytes: bytes }) => {
    assert.ok(bytes > before);
    return bytes;
  }, 0);
  model.dispose();
});

test("saved sessions are the same, and go on where all layers are in memory", async () => {
  const [streaming, whole] = [
    await loadEngine(FILE, { residentLayers: 1 }),
    await loadEngine(FILE),
  ];
  const [session, other] = [streaming.createSession(), whole.createSession()];
  await session.evaluate(PROMPT);
  await other.evaluate(PROMPT);
  const saved = await session.save();
  assert.equal(saved, await other.save());
  const { session: restored } = await streaming.restoreSession(saved);
  const { session: elsewhere } = await whole.restoreSession(saved);
  assert.equal(await restored.evaluate([9]), await elsewhere.evaluate([9]));
});

test("a weight that is not finite: loading says where", async () => {
  for (const layer of [0, 2, 4]) {
    const name = `blk.${layer}.attn_output.weight`;
    const file = tinyModel({ dims: DIMS, type: "F32" }, ({ tensors }) => {
      const data = tensors.get(name)!;
      const { buffer, byteOffset } = data.data as Uint8Array;
      new DataView(buffer, byteOffset).setUint32(400, 0x7fc00000, true);
    });
    for (const threads of [1, 2]) {
      const loading = loadEngine(file, { residentLayers: 1, threads });
      await assertRejects(loading, "INVALID_FILE", name, "finite");
    }
  }
});

test("sources that cannot be read again, and numbers out of range", async () => {
  const stream = new StreamSource(new Blob([FILE]).stream(), "stream");
  await assertRejects(loadEngine(stream, { residentLayers: 2 }), "INVALID_ARGUMENT", "stream");
  const remote = Object.assign(new ObservedSource(FILE), { isRemote: true });
  await assertRejects(loadEngine(remote, { residentLayers: 2 }), "INVALID_ARGUMENT", "observed");
  for (const residentLayers of [0, 6, 1.5, Number.NaN]) {
    const loading = loadEngine(FILE, { residentLayers });
    await assertRejects(loading, "INVALID_ARGUMENT", "residentLayers", "1 to 5");
  }
  assert.ok(await loadEngine(remote, { residentLayers: 5 }));
});

test.run();
