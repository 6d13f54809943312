import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  decodeText,
  splitDocuments,
  tokenizeDocuments,
} from "../../../src/training/data/corpus.js";
import { assertThrows } from "../../model/support/engine.js";
import { small } from "../../tokenizer/support/small.js";

const EOS = 268;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test("bytes become text, without a byte order mark", () => {
  assert.is(decodeText("a", bytesOf("naïve café 😀\n")), "naïve café 😀\n");
  assert.is(decodeText("a", bytesOf("\ufeffhello")), "hello");
});

test("empty, blank and binary files are refused by name", () => {
  const refused = (bytes: Uint8Array, ...parts: string[]) =>
    assertThrows(() => decodeText("prose", bytes), "INVALID_CONFIG", "text prose", ...parts);
  refused(new Uint8Array(0), "expected text, got an empty file");
  refused(bytesOf(" \r\n\t "), "an empty file");
  refused(Uint8Array.of(72, 105, 0, 1), "a zero byte at 2");
  refused(Uint8Array.of(72, 0xff, 0xfe), "expected UTF-8");
  refused(bytesOf("é").subarray(0, 1), "expected UTF-8");
  refused(Uint8Array.of(0xed, 0xa0, 0x80), "expected UTF-8");
});

test("documents are what stands between separators", () => {
  const text = "one\n\ntwo\n<|end|>\n\n  three\r\n<|end|>\n<|end|>four";
  assert.equal(splitDocuments("a", text, "<|end|>"), ["one\n\ntwo", "  three", "four"]);
  assert.equal(splitDocuments("a", text), [text]);
  assert.equal(splitDocuments("a", "no separator\n", "|"), ["no separator"]);
  assert.equal(splitDocuments("a", "\r\n\n|\n\nx\n\ny\r\n|\n", "|"), ["x\n\ny"]);
  assertThrows(() => splitDocuments("a", "|\n| |", "|"), "INVALID_CONFIG", "text a");
});

test("documents become tokens with their ends", () => {
  const documents = ["hello world", "<|endoftext|>", "é"];
  const counts: number[] = [];
  const text = tokenizeDocuments("a", documents, small, EOS, (n) => counts.push(n));
  const encoded = documents.map((document) => [...small.encode(document), EOS]);
  assert.equal(Array.from(text.tokens), encoded.flat());
  assert.equal(Array.from(text.ends), [
    encoded[0].length,
    encoded[0].length + encoded[1].length,
    encoded.flat().length,
  ]);
  assert.is(text.bytes, 11 + 13 + 2);
  assert.instance(text.tokens, Uint16Array);
  assert.equal(counts, [1, 2, 3]);
  assert.is(text.tokens.filter((id) => id === EOS).length, 3, "special tokens in text are text");
});

test("long texts and large vocabularies", () => {
  const document = "hello world ".repeat(3000);
  const text = tokenizeDocuments("a", [document, document], small, EOS);
  assert.equal(Array.from(text.tokens.subarray(0, text.ends[0] - 1)), small.encode(document));
  assert.is(text.tokens.length, 2 * text.ends[0]);
  const large = { vocabSize: 70000, encode: () => [69999] };
  const wide = tokenizeDocuments("a", ["x"], large, 1);
  assert.equal(wide.tokens, Uint32Array.of(69999, 1));
});

test("the fingerprint is that of tokens and ends", () => {
  const of = (...documents: string[]) => tokenizeDocuments("a", documents, small, EOS).fingerprint;
  assert.is(of("hello", "world"), of("hello", "world"));
  const others = [of("hello", "world"), of("world", "hello"), of("hello world"), of("hello")];
  assert.is(new Set(others).size, others.length);
});

test.run();
