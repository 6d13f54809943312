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
      i16: "385cdb2397f9a839 fe35bf4df11fef21",
      f32: "dd8862a603680a89 ef651152b5cf4a4f",
      f16: "2bac2c0da4205079 a6e6162617e069e0",
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
      i16: "486a15f8d8b8a475 716bdc7842825783",
    },
    "mini-q3_k_m": {
      i16: "209d5dce1cb29bec ee040197231177b7",
    },
    "mini-q4_0": {
      i16: "9f66151cb8234843 42f64a95fb8976e6",
    },
    "mini-q4_1": {
      i16: "4f2ffa4470dcb235 2497a4bd7820e59c",
    },
    "mini-q4_k_m": {
      i16: "af8e35f6aa34aa41 143621bdfe87904b",
    },
    "mini-q5_0": {
      i16: "7cefe893e429c8b8 0de21e765d3c8d1e",
    },
    "mini-q5_1": {
      i16: "cbede39b8e631c08 21d77dbb4ecd5254",
    },
    "mini-q5_k_m": {
      i16: "f05b9005d23237e4 9c2312a98b3b3418",
    },
    "mini-q6_k": {
      i16: "35437d23779f399e 2d681061d06eba82",
    },
    "mini-q8_0": {
      i16: "98bc3c5e2b6206a3 a37fd7a839b68a75",
      f32: "3d5b8413bc68fdd7 3b2ddf74360b540a",
      f16: "3b1dc8ce41b4e36a 91e34220b0266ed2",
      q8_0: "9be2f32212143395 00cc76eeed7f6ba9",
    },
  },
};
