/** Any entries make a working tokenizer or throw a PlmError. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { PlmError } from "../../src/errors.js";
import { openGguf } from "../../src/format/gguf.js";
import { encodeGguf } from "../../src/format/writer.js";
import { BytesSource } from "../../src/sources/bytes-source.js";
import { Tokenizer } from "../../src/tokenizer/tokenizer.js";
import { metadataOf } from "../../src/tokenizer/write-metadata.js";
import { seededRandom } from "../support/random.js";
import { smallSource } from "./support/small.js";
import { randomText } from "./support/strings.js";

const VALUES: unknown[] = [
  ...[undefined, null, true, 0, 1, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2n ** 63n],
  ...["", "gpt2", "qwen2", "\ud800", {}, [], [[]], [1], ["a"], [1n, 2], new Float64Array(300)],
  ...[new DataView(new ArrayBuffer(4)), new Uint8Array(274), new BigUint64Array(1), () => 1],
];

const entries = metadataOf({
  ...smallSource(),
  bosTokenId: 269,
  addBosToken: true,
  paddingTokenId: 270,
  chatTemplate: "",
});
const KEYS = [
  ...entries.map(({ key }) => key),
  ...["add_eos_token", "add_sep_token", "suppress_tokens", "scores"].map(
    (name) => `tokenizer.ggml.${name}`,
  ),
];

/** `list` with a few items removed, doubled, exchanged or damaged. */
function damaged<T>(random: () => number, list: ArrayLike<T>, odd: readonly T[]): T[] {
  const items = Array.from(list);
  const at = (): number => Math.floor(random() * items.length);
  for (let i = 0; i < 1 + random() * 20; i++) {
    const kind = random();
    if (kind < 0.2) items.splice(at(), 1);
    else if (kind < 0.4) items.splice(at(), 0, items[at()]);
    else if (kind < 0.7) items[at()] = items[at()];
    else items[at()] = odd[Math.floor(random() * odd.length)];
  }
  return items;
}

test("random entries make a working tokenizer or throw a PlmError", () => {
  const random = seededRandom(41);
  const { tokens, tokenTypes, merges } = smallSource();
  let loaded = 0;
  let refused = 0;
  for (let i = 0; i < 1500; i++) {
    const metadata = new Map<string, unknown>(entries.map(({ key, value }) => [key, value]));
    if (i % 3 === 0) {
      const value = VALUES[Math.floor(random() * VALUES.length)];
      metadata.set(KEYS[Math.floor(random() * KEYS.length)], value);
    } else {
      const texts = ["", " ", "a b", "\ufffd", "<0x41>", "ĠĠ", "\ud800", "h", "你"];
      if (random() < 0.5) {
        metadata.set("tokenizer.ggml.tokens", damaged(random, tokens, texts));
      }
      if (random() < 0.5) {
        const lines = [...texts, "a a a", "a ", " a", "Ã ©", "zz yy", "#version: 0.2"];
        metadata.set("tokenizer.ggml.merges", damaged(random, merges, lines));
      }
      const types = damaged(random, tokenTypes, [0, 1, 2, 3, 4, 5, 7, -1, 0.5, Number.NaN]);
      metadata.set("tokenizer.ggml.token_type", [...types, ...types]);
    }
    try {
      const tokenizer = Tokenizer.fromMetadata(metadata);
      const options = { special: random() < 0.5, addBos: random() < 0.5 };
      const ids = tokenizer.encode(`hello ${randomText(random, 10)}`, options);
      assert.ok(ids.every((id) => Number.isInteger(id) && id >= 0 && id < tokenizer.vocabSize));
      assert.type(tokenizer.decode(ids), "string");
      assert.ok(tokenizer.warnings.every((warning) => warning.length < 300));
      loaded++;
    } catch (error) {
      if (!(error instanceof PlmError)) throw error;
      assert.match(error.code, /^(INVALID|UNSUPPORTED)_FILE$/);
      refused++;
    }
  }
  assert.ok(loaded > 500 && refused > 100, `${loaded} loaded, ${refused} refused`);
});

test("a file with tokens that are not UTF-8 loads", async () => {
  const file = Buffer.from(encodeGguf(metadataOf(smallSource()), []));
  file.write("\xff\xfe\x80", file.indexOf("[PAD272]"), "latin1");
  file.write("\xc3(", file.indexOf("<|im_start|>"), "latin1");
  const { metadata } = await openGguf([new BytesSource(file)]);
  const tokenizer = Tokenizer.fromMetadata(metadata);
  assert.equal(tokenizer.warnings, []);
  assert.equal(tokenizer.encode("hello world", { special: true }), [259, 264]);
  assert.is(tokenizer.decode([269, 272, 259]), "\ufffd(im_start|>hello");
});

test.run();
