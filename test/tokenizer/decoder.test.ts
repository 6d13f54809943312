import { test } from "uvu";
import * as assert from "uvu/assert";
import { PlmError } from "../../src/errors.js";
import { seededRandom } from "../support/random.js";
import { small } from "./support/small.js";

test("pieces together are the decoded text, for any tokens", () => {
  const random = seededRandom(11);
  // Bytes that begin, continue and break UTF-8 sequences, and a byte order mark.
  const bytes = [
    0x41, 0x80, 0xbf, 0xc3, 0xa9, 0xe4, 0xbd, 0xa0, 0xed, 0xf0, 0x9f, 0xf4, 0xef, 0xbb,
  ];
  for (let i = 0; i < 5000; i++) {
    const ids = Array.from({ length: Math.floor(random() * 12) }, () =>
      random() < 0.9
        ? bytes[Math.floor(random() * bytes.length)]
        : Math.floor(random() * small.vocabSize),
    );
    const options = { special: random() < 0.5 };
    const decoder = small.createDecoder(options);
    const pieces = ids.map((id) => decoder.push(id)).join("") + decoder.end();
    assert.is(pieces, small.decode(ids, options), ids.join());
  }
});

test("a character comes with its last byte", () => {
  const decoder = small.createDecoder();
  assert.is(decoder.push(0xf0), "");
  assert.is(decoder.push(0x9f), "");
  assert.is(decoder.push(0x9a), "");
  assert.is(decoder.push(0x80), "🚀");
  assert.is(decoder.push(0xe4), "");
  assert.is(decoder.push(97), "\ufffda");
  assert.is(decoder.push(0xe4), "");
  assert.is(decoder.end(), "\ufffd");
  assert.is(decoder.end(), "");
});

test("a decoder can be used again, and outlives an invalid id", () => {
  const decoder = small.createDecoder();
  for (let i = 0; i < 3; i++) {
    const pieces = [0xef, 0xbb, 0xbf].map((id) => decoder.push(id));
    assert.is(pieces.join("") + decoder.end(), "\ufeff");
  }
  decoder.push(0xc3);
  assert.throws(
    () => decoder.push(9999),
    (error: unknown) => error instanceof PlmError && error.code === "INVALID_TOKEN",
  );
  assert.is(decoder.push(0xa9), "é");
});

test.run();
