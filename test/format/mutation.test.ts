/** Damaged headers: each is read or refused with the right code, at little cost. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { planModel } from "../../src/engine/plan.js";
import { PlmError } from "../../src/errors.js";
import type { ByteSource } from "../../src/format/byte-source.js";
import { type Gguf, openGguf } from "../../src/format/gguf.js";
import { tinyModel } from "../model/support/tiny.js";
import { seededRandom } from "../support/random.js";
import { sampleFile } from "./support/sample.js";

const ROUNDS = 24_000;

/** The possible results of a damaged header. */
const MODEL_OUTCOMES = ["read", "INVALID_FILE", "UNSUPPORTED_FILE"];

/** 32- and 64-bit values at which sizes and counts go wrong. */
const EXTREMES = [
  0n,
  1n,
  7n,
  8n,
  9n,
  255n,
  65536n,
  2n ** 20n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 60n,
  2n ** 63n,
  2n ** 64n - 1n,
];

type Mutation = (file: Uint8Array, pick: (n: number) => number) => Uint8Array;

/** The kinds of damage; `pick(n)` is a random integer in [0, n). */
const MUTATIONS: Mutation[] = [
  function flipBits(file, pick) {
    for (let i = pick(8); i >= 0; i--) file[pick(file.length)] ^= 1 << pick(8);
    return file;
  },
  function setBytes(file, pick) {
    for (let i = pick(4); i >= 0; i--) file[pick(file.length)] = pick(256);
    return file;
  },
  function overwriteInteger(file, pick) {
    const view = new DataView(file.buffer, file.byteOffset, file.length);
    const value = EXTREMES[pick(EXTREMES.length)];
    if (pick(2) === 0) view.setBigUint64(pick(file.length - 8), value, true);
    else view.setUint32(pick(file.length - 4), Number(BigInt.asUintN(32, value)), true);
    return file;
  },
  function moveBytes(file, pick) {
    const length = 1 + pick(64);
    file.copyWithin(pick(file.length), pick(file.length), pick(file.length) + length);
    return file;
  },
  function removeBytes(file, pick) {
    const start = pick(file.length);
    const end = Math.min(file.length, start + 1 + pick(40));
    file.copyWithin(start, end);
    return file.subarray(0, file.length - (end - start));
  },
  function truncate(file, pick) {
    return file.subarray(0, pick(file.length));
  },
];

/** The bytes, possibly of unknown size; records the largest requested read. */
class CountingSource implements ByteSource {
  readonly name = "damaged";
  readonly size: number | undefined;
  readonly sequential: boolean;
  readonly #bytes: Uint8Array;
  largestRead = 0;

  constructor(bytes: Uint8Array, sized: boolean) {
    this.#bytes = bytes;
    this.size = sized ? bytes.length : undefined;
    this.sequential = !sized;
  }

  async read(offset: number, target: Uint8Array): Promise<number> {
    this.largestRead = Math.max(this.largestRead, target.length);
    const found = this.#bytes.subarray(offset, offset + target.length);
    target.set(found);
    return found.length;
  }

  async close(): Promise<void> {}
}

/** "read", or the code of the refusal; any other throw fails the test. */
async function outcome(
  source: ByteSource,
  what: string,
  use: (gguf: Gguf) => void = () => {},
): Promise<string> {
  try {
    use(await openGguf([source]));
    return "read";
  } catch (error) {
    assert.instance(error, PlmError, `${what}: ${error instanceof Error ? error.stack : error}`);
    return (error as PlmError).code;
  }
}

test("every damaged header reads or is refused", async () => {
  const valid = sampleFile();
  const { tensors } = await openGguf([new CountingSource(valid, true)]);
  // Damage to the header and the first bytes of data, not to the bulk that is never read.
  const headerEnd = Math.min(...[...tensors.values()].map((tensor) => tensor.offset));
  const random = seededRandom(2024);
  const pick = (n: number): number => Math.floor(random() * n);
  const seen: Record<string, number> = { read: 0, INVALID_FILE: 0, UNSUPPORTED_FILE: 0 };
  const before = process.memoryUsage();
  for (let round = 0; round < ROUNDS; round++) {
    const mutation = MUTATIONS[round % MUTATIONS.length];
    const header = mutation(valid.slice(0, headerEnd), pick);
    const rest = valid.subarray(mutation.name === "truncate" ? valid.length : headerEnd);
    const file = new Uint8Array(header.length + rest.length);
    file.set(header);
    file.set(rest, header.length);
    // A source of unknown size gets a window of 1 MiB: every tenth is enough.
    const source = new CountingSource(file, round % 10 !== 0);
    const result = await outcome(source, `round ${round}, ${mutation.name}`);
    assert.ok(result in seen, `round ${round}, ${mutation.name}: ${result}`);
    seen[result]++;
    assert.ok(source.largestRead <= Math.max(file.length, 1 << 20), `round ${round}: window`);
  }
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  assert.ok(grown < 256 << 20, `memory grew by ${grown} bytes`);
  for (const [result, count] of Object.entries(seen)) {
    assert.ok(count > ROUNDS / 200, `${result}: only ${count} of ${ROUNDS}`);
  }
});

test("every damaged model has a plan or is refused", async () => {
  const valid = tinyModel();
  const { tensors } = await openGguf([new CountingSource(valid, true)]);
  const infos = [...tensors.values()];
  const headerEnd = Math.min(...infos.map(({ offset }) => offset));
  // Most of a header is tokens: damage the hyperparameters and the tensors.
  const text = new TextDecoder("latin1").decode(valid.subarray(0, headerEnd));
  const tokens = [text.indexOf("tokenizer.ggml.model"), text.indexOf("tokenizer.ggml.eos")];
  const random = seededRandom(77);
  const pick = (n: number): number => Math.floor(random() * n);
  const seen: Record<string, number> = { read: 0, INVALID_FILE: 0, UNSUPPORTED_FILE: 0 };
  const most = 6000;
  for (let round = 0; round < most; round++) {
    const mutation = MUTATIONS[round % 4];
    const file = valid.slice();
    const [from, to] = round % 2 === 0 ? [24, tokens[0]] : [tokens[1], headerEnd];
    mutation(file.subarray(from, to), pick);
    const what = `round ${round}, ${mutation.name}`;
    const result = await outcome(new CountingSource(file, true), what, (gguf) => {
      planModel(gguf, { contextLength: 8, threads: 1 });
    });
    seen[result] = (seen[result] ?? 0) + 1;
  }
  for (const [result, count] of Object.entries(seen)) {
    assert.ok(MODEL_OUTCOMES.includes(result), result);
    assert.ok(count > most / 200, `${result}: only ${count} of ${most}`);
  }
});

test.run();
