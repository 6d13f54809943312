/** The digests of logits: of each variant, model and cache type those of prefill and of decode. */
import type { CacheType } from "../../../src/cache/rows.js";
import type { Variant } from "../../../src/engine/load.js";

type OfModels = Readonly<Record<string, Readonly<Partial<Record<CacheType, string>>>>>;

export const DIGESTS: Readonly<Record<Variant, OfModels>> = {
  simd: {
    "plm-tiny": {
      i16: "1e87daf6d505cad9 dd0570a3c5d99894",
      f32: "f86113a39edcf17e 7faf5480eb53271c",
      f16: "6e3e24c4ac9f2eb7 801817a5f9dec4dc",
    },
    "mini-bf16": {
      i16: "66268c556a5aab69 eded8244f6535257",
    },
    "mini-f16": {
      i16: "739f728b8f85a082 c07df8149dddd21d",
    },
    "mini-f32": {
      i16: "8dd88bde5a00dd51 eb0f959d03292cbc",
    },
    "mini-q2_k": {
      i16: "ffd59daba2aba6fd 862909400c808076",
    },
    "mini-q3_k_m": {
      i16: "b0f440885846519d 5a3e18dc26028ab5",
    },
    "mini-q4_0": {
      i16: "64bff78cea6eeb75 fa245a8cf3722d97",
    },
    "mini-q4_1": {
      i16: "21a8f8c24199e918 6f227bea2d76ccb8",
    },
    "mini-q4_k_m": {
      i16: "8fc269cb5af1d238 483b01b462f773af",
    },
    "mini-q5_0": {
      i16: "8e371ed1713ca267 cf76530d837bc66a",
    },
    "mini-q5_1": {
      i16: "03cf178054970700 eced585a713c5ee0",
    },
    "mini-q5_k_m": {
      i16: "2427d9b405f71774 8b733a2fd92b0e3d",
    },
    "mini-q6_k": {
      i16: "2784817bebbb11f5 16b3b599ea7521c6",
    },
    "mini-q8_0": {
      i16: "68fcf8bf4ab7044b 89a4d92b4d711216",
      f32: "d961e130856c47b9 0411c877d4d71c5a",
      f16: "d4206ccf419ef6a2 bde5d683c3607df3",
      q8_0: "0505959e9182f543 89734cf189e77367",
    },
  },
  relaxed: {
    "plm-tiny": {
      i16: "d90583f37f11fdff fcf62da4f70a8843",
      f32: "3defd19d55cfbd3c 3673e7eb49f7ec1c",
      f16: "5bcdb9e857a9981a 7683136664ea1d5b",
    },
    "mini-bf16": {
      i16: "66268c556a5aab69 eded8244f6535257",
    },
    "mini-f16": {
      i16: "739f728b8f85a082 c07df8149dddd21d",
    },
    "mini-f32": {
      i16: "8dd88bde5a00dd51 eb0f959d03292cbc",
    },
    "mini-q2_k": {
      i16: "d0d9dc16074bcb41 862909400c808076",
    },
    "mini-q3_k_m": {
      i16: "6d5c33700d35bb08 530e401c54c46fe7",
    },
    "mini-q4_0": {
      i16: "5fc564777cf4b6ee 52a63d2695b099e6",
    },
    "mini-q4_1": {
      i16: "89302d1d16834646 6f227bea2d76ccb8",
    },
    "mini-q4_k_m": {
      i16: "ef6c7c7677f5486e 61b4aac60405609b",
    },
    "mini-q5_0": {
      i16: "6b0956e4b2276dd8 ba6ea8803ca63bf6",
    },
    "mini-q5_1": {
      i16: "f265b46b17a20888 eced585a713c5ee0",
    },
    "mini-q5_k_m": {
      i16: "e9b97c141c93bf24 8b733a2fd92b0e3d",
    },
    "mini-q6_k": {
      i16: "e38560626dfbb66f 16b3b599ea7521c6",
    },
    "mini-q8_0": {
      i16: "e480d03b8c47df35 d52350ba8e1d0eba",
      f32: "7a03bdd8fb7970f1 760d56f07ff0b454",
      f16: "e2447b8e9c089dc2 70d01ae463ae59d7",
      q8_0: "6edd95aee0910cf3 3e102d2417eba9cb",
    },
  },
};
