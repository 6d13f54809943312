import { test } from "uvu";
import { TENSOR_TYPES, type TensorType } from "../../src/format/dtypes.js";
import { type Gguf, openGguf } from "../../src/format/gguf.js";
import { openSources } from "../../src/sources/source.js";
import { assertRejects, loadEngine } from "./support/engine.js";
import { BLOCK_FIELDS, K_DIMS, SMALL_DIMS, tinyModel } from "./support/tiny.js";

const TYPES = Object.keys(TENSOR_TYPES) as TensorType[];
const BLK = "blk.0";

/** The bytes of NaN and of infinity, and where they go in a block. */
function poisons(type: TensorType): { at: number; bytes: number[] }[] {
  if (type === "F32" || type === "BF16") {
    const zeros = type === "F32" ? [0, 0] : [];
    return [0x7f, 0xff].flatMap((high) => [
      { at: 0, bytes: [...zeros, 0xc0, high] },
      { at: 0, bytes: [...zeros, 0x80, high] },
    ]);
  }
  const { scaleAt, minAt = scaleAt } = type === "F16" ? { scaleAt: 0 } : BLOCK_FIELDS[type];
  return [...new Set([scaleAt, minAt])].flatMap((at) => [
    { at, bytes: [0x00, 0x7e] },
    { at, bytes: [0x00, 0xfc] },
  ]);
}

/** Fails unless each poison in the first, a middle and the last block is refused. */
async function assertPoisonRefused(file: Uint8Array, name: string): Promise<void> {
  const { offset, byteLength, type } = (await open(file)).tensors.get(name)!;
  const { blockBytes } = TENSOR_TYPES[type];
  const blocks = byteLength / blockBytes;
  for (const block of [0, Math.floor(blocks * 0.6), blocks - 1]) {
    for (const { at, bytes } of poisons(type)) {
      const start = offset + block * blockBytes + at;
      const saved = file.slice(start, start + bytes.length);
      file.set(bytes, start);
      await assertRejects(loadEngine(file), "INVALID_FILE", name, "finite");
      file.set(saved, start);
    }
  }
  await loadEngine(file);
}

async function open(file: Uint8Array): Promise<Gguf> {
  return openGguf(await openSources(file));
}

for (const type of TYPES) {
  const small = type.endsWith("_K") ? { ...K_DIMS, intermediateSize: 256 } : SMALL_DIMS;
  const dims = { ...small, numHiddenLayers: 1 };
  test(`NaN and infinity in ${type} are refused, in panels and in the slab`, async () => {
    const file = tinyModel({ dims, type });
    for (const name of ["token_embd.weight", `${BLK}.attn_kv_b.weight`, `${BLK}.ffn_down.weight`]) {
      await assertPoisonRefused(file, name);
    }
  });
}

test("NaN and infinity in norms are refused, whatever their type", async () => {
  for (const type of ["F32", "F16", "BF16"] as const) {
    const file = tinyModel({}, ({ tensors }) => {
      for (const name of [`${BLK}.attn_kv_a_norm.weight`, "output_norm.weight"]) {
        const tensor = tensors.get(name)!;
        tensor.type = type;
        tensor.data = new Uint8Array(tensor.shape[0] * TENSOR_TYPES[type].blockBytes);
      }
    });
    await assertPoisonRefused(file, `${BLK}.attn_kv_a_norm.weight`);
    await assertPoisonRefused(file, "output_norm.weight");
  }
});

test("NaN and infinity in a split kv_b are refused", async () => {
  const dims = { ...SMALL_DIMS, qkNopeHeadDim: 32, numHiddenLayers: 1 };
  for (const type of ["F32", "F16", "BF16", "Q8_0", "Q4_1", "Q5_0"] as const) {
    const file = tinyModel({ dims, type, splitKvB: true });
    await assertPoisonRefused(file, `${BLK}.attn_k_b.weight`);
    await assertPoisonRefused(file, `${BLK}.attn_v_b.weight`);
  }
});

test.run();
