import { test } from "uvu";
import * as assert from "uvu/assert";
import { crc32 } from "../../src/format/crc32.js";
import { seededRandom } from "../support/random.js";

/** The definition: bit by bit. */
function bitwise(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

const random = seededRandom(5);
const sample = Uint8Array.from({ length: 300 }, () => random() * 256);

test("the check string, nothing, zeros and ones", () => {
  assert.is(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  assert.is(crc32(new Uint8Array(0)), 0);
  assert.is(crc32(new Uint8Array(0), 0xcbf43926), 0xcbf43926);
  assert.is(crc32(new Uint8Array(32)), 0x190a55ad);
  assert.is(crc32(new Uint8Array(32).fill(0xff)), 0xff6cab0b);
});

test("every length at every alignment equals the definition", () => {
  for (let start = 0; start < 9; start++) {
    for (let length = 0; length < 70; length++) {
      const bytes = sample.subarray(start, start + length);
      assert.is(crc32(bytes), bitwise(bytes), `${length} bytes from ${start}`);
    }
  }
  assert.is(crc32(sample), bitwise(sample));
});

test("bytes in pieces, cut anywhere, and in shared memory", () => {
  const whole = crc32(sample);
  for (let cut = 0; cut <= sample.length; cut++) {
    assert.is(crc32(sample.subarray(cut), crc32(sample.subarray(0, cut))), whole);
  }
  const shared = new Uint8Array(new SharedArrayBuffer(400), 3, sample.length);
  shared.set(sample);
  assert.is(crc32(shared), whole);
});

test.run();
