/** Damaged files of a folder: each is read or refused with the right code. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { planModel } from "../../src/engine/plan.js";
import { PlmError } from "../../src/errors.js";
import { readSafetensors } from "../../src/format/safetensors.js";
import { BytesSource } from "../../src/sources/bytes-source.js";
import { Tokenizer } from "../../src/tokenizer/tokenizer.js";
import { tinyModel } from "../model/support/tiny.js";
import { seededRandom } from "../support/random.js";
import { type Files, makeCheckpoint } from "./support/checkpoint.js";
import { openFiles } from "./support/open.js";
import { encodeSafetensors } from "./support/safetensors.js";

type Pick = (n: number) => number;

/** Pieces of JSON that turn one value into another. */
const VALUES = [
  ...[
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "1e308",
    "9007199254740993",
    '"x"',
    "[]",
    "{}",
    '"\\u0000"',
  ],
  ...["[[[[[]]]]]", '{"__proto__":1}', "[0,0]", '""', '"F32"', "4294967296"],
];

/** The kinds of damage to text; `pick(n)` is a random integer in [0, n). */
const MUTATIONS: ((text: string, pick: Pick) => string)[] = [
  function replaceValue(text, pick) {
    const values = [...text.matchAll(/(?<=[:[,]\s*)(?:-?[\d.]+|"[^"]*"|true|false|null)(?!\s*:)/g)];
    const value = values[pick(values.length)];
    const end = value.index + value[0].length;
    return text.slice(0, value.index) + VALUES[pick(VALUES.length)] + text.slice(end);
  },
  function changeNumber(text, pick) {
    const numbers = [...text.matchAll(/\d+/g)];
    const { index, 0: digits } = numbers[pick(numbers.length)];
    const changed = String(Number(digits) + [1, -1, 64, 2 ** 32][pick(4)]);
    return text.slice(0, index) + changed + text.slice(index + digits.length);
  },
  function setCharacter(text, pick) {
    const at = pick(text.length);
    return text.slice(0, at) + String.fromCharCode(pick(128)) + text.slice(at + 1);
  },
  function remove(text, pick) {
    const at = pick(text.length);
    return text.slice(0, at) + text.slice(at + 1 + pick(30));
  },
  function repeat(text, pick) {
    const at = pick(text.length);
    const end = at + 1 + pick(60);
    return text.slice(0, end) + text.slice(at, end) + text.slice(end);
  },
];

/** "read", or the code of the refusal; any other throw fails the test. */
async function outcome(use: () => Promise<unknown>, what: string): Promise<string> {
  try {
    await use();
    return "read";
  } catch (error) {
    assert.instance(error, PlmError, `${what}: ${error instanceof Error ? error.stack : error}`);
    return (error as PlmError).code;
  }
}

/** Runs `use` with `rounds` damaged texts, and checks that each outcome is possible and occurs. */
async function damage(
  text: string,
  rounds: number,
  use: (damaged: string) => Promise<unknown>,
): Promise<void> {
  const random = seededRandom(rounds);
  const pick = (n: number): number => Math.floor(random() * n);
  const seen: Record<string, number> = { read: 0, INVALID_FILE: 0, UNSUPPORTED_FILE: 0 };
  for (let round = 0; round < rounds; round++) {
    const mutation = MUTATIONS[round % MUTATIONS.length];
    const what = `round ${round}, ${mutation.name}`;
    const damaged = mutation(text, pick);
    const result = await outcome(() => use(damaged), what);
    assert.ok(result in seen, `${what}: ${result}`);
    seen[result]++;
  }
  for (const result of ["read", "INVALID_FILE"]) {
    assert.ok(seen[result] > rounds / 200, `${result}: only ${seen[result]} of ${rounds}`);
  }
}

const sound = await makeCheckpoint(tinyModel({ type: "BF16" }));
const textOf = (name: string): string => new TextDecoder().decode(sound.get(name));
const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** Opens the folder with one file replaced, and reads all that its header says. */
async function openWith(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const files: Files = new Map([...sound, [name, bytes]]);
  const gguf = await openFiles(files);
  planModel(gguf, { contextLength: 8, threads: 1 });
  Tokenizer.fromMetadata(gguf.metadata);
}

test("headers of safetensors", async () => {
  const data = new Uint8Array(24);
  const file = encodeSafetensors([
    { name: "model.embed_tokens.weight", dtype: "F32", shape: [2, 3], data },
    { name: "model.norm.weight", dtype: "BF16", shape: [3, 4], data },
  ]);
  const text = new TextDecoder().decode(file.subarray(8, -48));
  await damage(text, 12_000, async (damaged) => {
    const header = encode(damaged);
    const length = new Uint8Array(new BigUint64Array([BigInt(header.length)]).buffer);
    const bytes = new Uint8Array(Buffer.concat([length, header, data, data]));
    const tensors = await readSafetensors(new BytesSource(bytes));
    const end = bytes.length;
    for (const { offset, byteLength } of tensors.values()) {
      assert.ok(offset >= 8 && offset + byteLength <= end);
    }
  });
});

for (const [name, rounds] of [
  ["config.json", 5000],
  ["tokenizer_config.json", 1500],
  ["tokenizer.json", 1500],
] as const) {
  test(name, () => damage(textOf(name), rounds, (text) => openWith(name, encode(text))));
}

test.run();
