import { createHash } from "node:crypto";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { EncodeOptions, Tokenizer } from "../../src/tokenizer/tokenizer.js";
import { seededRandom } from "../support/random.js";
import { huggingFaceTokenizer } from "./support/hugging-face.js";
import { hasShared, qwen2, qwen2Source, readShared } from "./support/qwen2.js";
import { randomText, wellFormed } from "./support/strings.js";

const AS_LLAMA_CPP: EncodeOptions = { normalize: "none" };

/** The official pipeline in another implementation. */
function officialTokenizer(): ReturnType<typeof huggingFaceTokenizer> {
  const { tokens, merges } = qwen2Source();
  const vocab = Object.fromEntries(tokens.slice(0, 151643).map((token, id) => [token, id]));
  const added = tokens
    .slice(151643, 151646)
    .map((content, i): [number, string] => [151643 + i, content]);
  return huggingFaceTokenizer(vocab, merges, added);
}

function sha256(ids: number[]): string {
  return createHash("sha256")
    .update(new Uint8Array(Uint32Array.from(ids).buffer))
    .digest("hex");
}

function vectors(name: string): [string, number[]][] {
  const texts = readShared(`qwen2-tokenizer/${name}.inp`).split("\n__ggml_vocab_test__\n");
  const lines = readShared(`qwen2-tokenizer/${name}.out`).split("\n");
  return texts.slice(0, 47).map((text, i) => [text, (lines[i].match(/\d+/g) ?? []).map(Number)]);
}

if (hasShared("qwen2-tokenizer")) {
  for (const name of ["ggml-vocab-qwen2.gguf", "ggml-vocab-qwen2.gguf.2025-02"]) {
    test(`llama.cpp's vectors, ${name}`, () => {
      const cases = vectors(name);
      assert.is(cases.length, 47);
      for (const [text, ids] of cases) {
        assert.equal(qwen2().encode(text, AS_LLAMA_CPP), ids, JSON.stringify(text));
        assert.is(qwen2().decode(ids), text);
      }
    });
  }

  test("published encodings", () => {
    const cases: [string, number[]][] = [
      ["Hello, world! 12345", [9707, 11, 1879, 0, 220, 16, 17, 18, 19, 20]],
      ["  spaced  text\n", [220, 63828, 220, 1467, 198]],
      ["你好，世界！", [108386, 3837, 99489, 6313]],
      [
        "Café — κόσμος 🚀",
        [34, 2577, 963, 1959, 71638, 75195, 43928, 43123, 27554, 45642, 11162, 248, 222],
      ],
      ["<|im_start|>user\nHello<|im_end|>\n", [151644, 872, 198, 9707, 151645, 198]],
    ];
    for (const [text, ids] of cases) {
      assert.equal(qwen2().encode(text, { special: true }), ids);
      assert.is(qwen2().decode(ids), text);
    }
    assert.equal([...qwen2().eosTokenIds], [151643, 151645]);
  });

  test("normal form C: the official way and llama.cpp's", () => {
    const text = "e\u0301 \u00e9";
    assert.equal(qwen2().encode(text), [963, 3958]);
    assert.equal(qwen2().encode(text, AS_LLAMA_CPP), [68, 53839, 3958]);
  });

  test("WikiText-2 by count and digest", () => {
    const [{ tokens, first32, sha256_of_uint32le_ids: digest }] = JSON.parse(
      readShared("qwen2-tokenizer/corpus-token-hashes.json"),
    );
    const text = readShared("wikitext-2/wiki.test.raw");
    const ids = qwen2().encode(text, AS_LLAMA_CPP);
    assert.is(ids.length, tokens);
    assert.equal(ids.slice(0, 32), first32);
    assert.is(sha256(ids), digest);
    assert.is(qwen2().decode(ids), text);
  });

  test("random text equals another implementation of the official pipeline", () => {
    const official = officialTokenizer();
    const random = seededRandom(12);
    for (let i = 0; i < 2000; i++) {
      // Left out, since the other implementation differs from the Rust original there: lone
      // surrogates, the long s in contractions, and JavaScript's idea of white space.
      const text = wellFormed(randomText(random, 30)).replace(/[\u017f\u0085\ufeff]/g, "");
      const ids = qwen2().encode(text, { special: true });
      assert.equal(ids, official.encode(text).ids, JSON.stringify(text));
      assert.is(qwen2().decode(ids), text.normalize("NFC"));
    }
  });

  test("a megabyte of hostile text completes", () => {
    const tokenizer: Tokenizer = qwen2();
    for (const part of ["a", " ", "\n", "'", "ab", " \n", "' ", "'s", "1a", "你", "<|im_end|"]) {
      const text = part.repeat(2 ** 20 / part.length);
      const ids = tokenizer.encode(text, { special: true });
      assert.is(tokenizer.decode(ids), text, JSON.stringify(part));
    }
  });

  test("pieces together are the decoded text, for random tokens", () => {
    const random = seededRandom(13);
    for (let i = 0; i < 300; i++) {
      const ids = Array.from({ length: 100 }, () => Math.floor(random() * qwen2().vocabSize));
      const decoder = qwen2().createDecoder();
      const pieces = ids.map((id) => decoder.push(id)).join("") + decoder.end();
      assert.is(pieces, qwen2().decode(ids));
    }
  });
}

test.run();
