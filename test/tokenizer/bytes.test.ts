import { test } from "uvu";
import * as assert from "uvu/assert";
import { ByteBuffer, byteToChar } from "../../src/tokenizer/bytes.js";

test("the alphabet has GPT-2's characters", () => {
  const known: [number, string][] = [
    [0x00, "Ā"],
    [0x0a, "Ċ"],
    [0x20, "Ġ"],
    [0x21, "!"],
    [0x41, "A"],
    [0x7e, "~"],
    [0x7f, "ġ"],
    [0xa0, "ł"],
    [0xa1, "¡"],
    [0xad, "Ń"],
    [0xff, "ÿ"],
  ];
  for (const [byte, char] of known) assert.is(byteToChar(byte), char);
});

test("spelling and reading are inverse", () => {
  const all = Array.from({ length: 256 }, (_, byte) => byteToChar(byte));
  assert.is(new Set(all).size, 256);
  const buffer = new ByteBuffer();
  assert.ok(buffer.pushSpelled(all.join("")));
  assert.equal([...buffer.bytes.subarray(0, buffer.length)], [...all.keys()]);
});

test("text outside the alphabet leaves the buffer as it was", () => {
  const buffer = new ByteBuffer();
  assert.ok(buffer.pushSpelled("ab"));
  for (const text of ["a b", "a\n", "\u0144", "你", "a\u00ad"]) {
    assert.is(buffer.pushSpelled(text), false, JSON.stringify(text));
  }
  assert.is(buffer.length, 2);
});

test("the buffer grows", () => {
  const buffer = new ByteBuffer();
  for (let i = 0; i < 5000; i++) buffer.push(Uint8Array.of(i & 255, 7));
  assert.is(buffer.length, 10000);
  assert.equal([...buffer.bytes.subarray(9998, 10000)], [4999 & 255, 7]);
});

test.run();
