/** The table of tensors in a header: what is accepted and what is refused. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { open, refused } from "./support/open.js";
import { type RawTensor, raw } from "./support/raw.js";

test("impossible tensors are refused", async () => {
  const tensor = (info: RawTensor, ...more: RawTensor[]) => raw([], [info, ...more]);
  await refused(
    tensor({ ne: [1, 1, 1, 1, 1] }),
    "INVALID_FILE",
    /5 dimensions; expected at most 4/,
  );
  await refused(tensor({ ne: [], type: 8 }), "INVALID_FILE", /Q8_0 needs a multiple of 32/);
  await refused(tensor({ ne: [2n ** 63n] }), "INVALID_FILE", /a dimension of 9223372036854775808/);
  const large = 2 ** 31;
  await refused(tensor({ ne: [large, large, large] }), "INVALID_FILE", /larger than any file/);
  await refused(tensor({ ne: [large, large, 4] }), "INVALID_FILE", /larger than any file/);
  // 2^64 elements: an unsigned 64-bit product would be 0.
  await refused(tensor({ ne: [2 ** 32, 2 ** 32] }), "INVALID_FILE", /larger than any file/);
  await refused(tensor({ ne: [33], type: 8 }), "INVALID_FILE", /Q8_0 needs a multiple of 32/);
  await refused(tensor({ offset: 16 }), "INVALID_FILE", /offset 16 is not a multiple of 32/);
  await refused(tensor({ offset: 2n ** 63n }), "INVALID_FILE", /past any file/);
  await refused(tensor({ offset: 2 ** 53 - 32 }), "INVALID_FILE", /past any file/);
  await refused(tensor({ offset: 8192 }), "INVALID_FILE", /ends at byte \d+, but the file has/);
  const other = { name: "u", ne: [8], offset: 96 };
  await refused(tensor({}, other), "INVALID_FILE", /"u": overlaps tensor "t"/);
  await refused(tensor(other, {}), "INVALID_FILE", /"u": overlaps tensor "t"/);
  await refused(tensor({}, { offset: 128 }), "INVALID_FILE", /"t": the name comes twice/);
  assert.is((await open(tensor({}, { ...other, offset: 128 }))).tensors.size, 2);
});

test("tensor types that cannot be read are refused by name", async () => {
  const names: Record<number, string> = {
    ...{ 4: "Q4_2", 5: "Q4_3", 9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS" },
    ...{ 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16" },
    ...{ 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 31: "Q4_0_4_4", 33: "Q4_0_8_8" },
    ...{ 34: "TQ1_0", 35: "TQ2_0", 36: "IQ4_NL_4_4", 39: "MXFP4", 40: "NVFP4", 41: "Q1_0" },
    42: "Q2_0",
  };
  for (const [type, name] of Object.entries(names)) {
    const message = new RegExp(`"t": type ${type} \\(${name}\\) is not supported; expected one of`);
    await refused(raw([], [{ type: Number(type) }]), "UNSUPPORTED_FILE", message);
  }
  await refused(raw([], [{ type: 77 }]), "UNSUPPORTED_FILE", /"t": type 77 is not supported/);
});

test("tensors without elements, without dimensions, and in any order", async () => {
  const { tensors } = await open(
    raw(
      [],
      [
        { name: "later", ne: [8], offset: 64 },
        { name: "empty", ne: [0], offset: 0 },
        { name: "none", ne: [32, 0, 2 ** 52], offset: 0 },
        { name: "first", ne: [8], offset: 0 },
        { name: "scalar", ne: [], offset: 32 },
        { name: "inside", ne: [7, 0], offset: 64 },
      ],
    ),
  );
  const start = tensors.get("first")!.offset;
  const places = Array.from(tensors.values(), ({ name, offset, byteLength, shape }) => {
    return [name, offset - start, byteLength, shape.length];
  });
  assert.equal(places, [
    ["later", 64, 32, 1],
    ["empty", 0, 0, 1],
    ["none", 0, 0, 3],
    ["first", 0, 32, 1],
    ["scalar", 32, 4, 0],
    ["inside", 64, 0, 2],
  ]);
});

test.run();
