/** Damaged and hostile saved sessions: each is refused with the right code, and costs little. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type SectionName, sectionsBytes, snapshotHeader } from "../../src/cache/snapshot.js";
import { type ErrorCode, PlmError } from "../../src/errors.js";
import type { ByteSource } from "../../src/format/byte-source.js";
import { CRC_BYTES, PREFIX_BYTES } from "../../src/format/frame.js";
import { rejection } from "../model/support/engine.js";
import { joined } from "../support/joined.js";
import { seededRandom } from "../support/random.js";
import { CountingSource, crafted, heldOf, MODEL, restored, saved } from "./support/snapshots.js";

const held = heldOf(MODEL, 70, 1, '[{"role":"user","content":"hi"}]');
const sound = saved(MODEL, held);

/** The result or error of reading. */
async function outcome(source: ByteSource): Promise<ErrorCode> {
  const error = await rejection(restored(source, MODEL));
  assert.instance(error, PlmError, String((error as Error).stack));
  return (error as PlmError).code;
}

/** Fails unless bytes are refused with the code, of known size and as a stream, at little cost. */
async function assertRefused(bytes: Uint8Array, code: ErrorCode, what: string): Promise<void> {
  for (const isStream of [false, true]) {
    const source = new CountingSource(bytes, isStream);
    assert.is(await outcome(source), code, `${what}${isStream ? ", as a stream" : ""}`);
    assert.ok(source.largestRead < 70_000, `${what}: a read of ${source.largestRead} bytes`);
  }
}

test("cut at every byte, and followed by more bytes", async () => {
  for (let length = 0; length < sound.length; length++) {
    await assertRefused(sound.subarray(0, length), "INVALID_FILE", `${length} bytes`);
  }
  for (const extra of [Uint8Array.of(0), new Uint8Array(5000), sound]) {
    await assertRefused(joined([sound, extra]), "INVALID_FILE", `${extra.length} more bytes`);
  }
});

test("with every byte changed, or any of its bits", async () => {
  for (let at = 0; at < sound.length; at++) {
    const isVersion = at >= 8 && at < 12;
    for (const change of [1 << (at % 8), 0xff, 0x80 >> (at % 8)]) {
      const bytes = sound.slice();
      bytes[at] ^= change;
      const code = isVersion ? "UNSUPPORTED_FILE" : "INVALID_FILE";
      await assertRefused(bytes, code, `byte ${at} ^ ${change}`);
    }
  }
});

test("whole pages that changed places, their checksums with them", async () => {
  const { layers, rowBytes } = MODEL;
  const [full, last] = [64, 6].map((rows) => rows * rowBytes + CRC_BYTES);
  const first = sound.length - layers * (full + last);
  const bytes = sound.slice();
  bytes.copyWithin(first, first + full, first + 2 * full);
  bytes.set(sound.subarray(first, first + full), first + full);
  await assertRefused(bytes, "INVALID_FILE", "pages of two layers");
});

test("parts in another order, missing or of another session", async () => {
  const random = seededRandom(9);
  const other = saved(MODEL, heldOf(MODEL, 70, 2, '[{"role":"user","content":"ho"}]'));
  assert.is(other.length, sound.length);
  for (let round = 0; round < 2000; round++) {
    const bytes = sound.slice();
    const from = Math.floor(random() * bytes.length);
    const length = 1 + Math.floor(random() * 200);
    if (round % 2 === 0) bytes.copyWithin(Math.floor(random() * bytes.length), from, from + length);
    else bytes.set(other.subarray(from, from + length), from);
    if (bytes.every((byte, i) => byte === sound[i])) continue;
    const error = await restored(new CountingSource(bytes, false), MODEL).catch((e) => e);
    // A part of another session is valid by itself, with its checksum.
    const isWhole = !(error instanceof PlmError);
    if (isWhole) assert.is(round % 2, 1);
    else assert.ok(["INVALID_FILE", "UNSUPPORTED_FILE"].includes(error.code), error.message);
  }
});

test("random bytes, with and without the start of a session", async () => {
  const random = seededRandom(4);
  for (let round = 0; round < 2000; round++) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 200) }, () => random() * 256);
    const kept = [0, 8, 12, 16, 20, 24][round % 6];
    bytes.set(sound.subarray(0, Math.min(kept, bytes.length)));
    const code = kept === 8 && bytes.length >= 24 ? "UNSUPPORTED_FILE" : "INVALID_FILE";
    await assertRefused(bytes, code, `round ${round}`);
  }
});

const rows = new Uint8Array(6);
const PARTS: readonly [SectionName, Uint8Array][] = [
  ["tokens", new Uint8Array(4)],
  ["pages", rows],
  ["pages", rows],
];
/** The header of a session of one token, and with it a file. */
const header = {
  ...{ model: MODEL.fingerprint, cacheType: "i16", rowBytes: 6, layers: 2, length: 1 },
  pageRows: 64,
  sections: [
    { name: "tokens", bytes: 8 },
    { name: "pages", bytes: 20 },
  ],
};
const craft = (change: object): Uint8Array<ArrayBuffer> =>
  crafted(JSON.stringify({ ...header, ...change }), PARTS);

test("hostile headers whose checksum is right", async () => {
  const one = await restored(new CountingSource(craft({}), false), MODEL);
  assert.equal(one, { tokens: [0], rows: [rows, rows], messages: undefined });
  const counts = [-1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, 1e300, "1", null, true, [1], {}];
  for (const key of ["rowBytes", "layers", "length"]) {
    for (const value of counts) {
      await assertRefused(craft({ [key]: value }), "INVALID_FILE", `${key} ${value}`);
    }
  }
  for (const key of Object.keys(header)) {
    await assertRefused(craft({ [key]: undefined }), "INVALID_FILE", `no ${key}`);
  }
  for (const key of ["model", "cacheType"]) {
    await assertRefused(craft({ [key]: 7 }), "INVALID_FILE", `${key} 7`);
    await assertRefused(craft({ [key]: "x".repeat(9999) }), "UNSUPPORTED_FILE", `long ${key}`);
  }
  await assertRefused(craft({ pageRows: 32 }), "UNSUPPORTED_FILE", "pages of 32 rows");
  await assertRefused(craft({ scores: 1 }), "UNSUPPORTED_FILE", "an unknown key");
});

test("hostile lists of sections", async () => {
  const [listed, pages] = header.sections;
  const scores = { name: "scores", bytes: 4 };
  await assertRefused(craft({ sections: [listed, scores, pages] }), "UNSUPPORTED_FILE", "scores");
  const huge = { name: "messages", bytes: 2 ** 40 };
  const lists: unknown[] = [
    ...[7, null, {}, [], "tokens", [null], [7], [[]], [{}], [{ name: 7 }], [{ name: "tokens" }]],
    ...[[pages, listed], [listed], [pages], [listed, listed, pages], [listed, pages, pages]],
    ...[
      { ...listed, bytes: 9 },
      { ...listed, bytes: -8 },
      { ...listed, bytes: 2 ** 53 },
    ].map((changed) => [changed, pages]),
    ...[0, 1, 3].map((bytes) => [listed, { name: "messages", bytes }, pages]),
    ...[[listed, huge, pages], [listed, huge, huge, pages], Array(900).fill(listed)],
  ];
  for (const sections of lists) {
    await assertRefused(craft({ sections }), "INVALID_FILE", JSON.stringify(sections).slice(0, 99));
  }
});

test("consistent headers that claim more than the file has", async () => {
  const claims: [change: object, messagesBytes: number | undefined, asStream: ErrorCode][] = [
    [{ length: 2 ** 31 }, undefined, "CONTEXT_FULL"],
    [{ length: 2 ** 45 }, undefined, "CONTEXT_FULL"],
    [{ rowBytes: 2 ** 40 }, undefined, "UNSUPPORTED_FILE"],
    [{ layers: 2 ** 40 }, undefined, "UNSUPPORTED_FILE"],
    [{ layers: 2 ** 52, length: 0 }, undefined, "UNSUPPORTED_FILE"],
    [{ length: 256 }, undefined, "INVALID_FILE"],
    [{}, 2 ** 40, "INVALID_FILE"],
    [{}, 65536, "INVALID_FILE"],
  ];
  for (const [change, messagesBytes, code] of claims) {
    const claim = snapshotHeader({ ...header, ...change }, messagesBytes);
    const json = JSON.stringify(claim);
    const total = PREFIX_BYTES + json.length + CRC_BYTES + sectionsBytes(claim);
    const bytes = crafted(json, PARTS, total);
    const stream = new CountingSource(bytes, true);
    assert.is(await outcome(stream), code, json);
    assert.ok(stream.largestRead < 70_000, json);
    const sized = total === bytes.length ? code : "INVALID_FILE";
    assert.is(await outcome(new CountingSource(bytes, false)), sized, json);
  }
});

test("sizes at the start that differ from the file's", async () => {
  const json = JSON.stringify(header);
  for (const total of [0, 24, 100, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 53, 2 ** 63]) {
    const bytes = crafted(json, PARTS, total);
    await assertRefused(bytes, "INVALID_FILE", `${total} bytes`);
  }
  for (const headerBytes of [0, 8, 65536, 65544, 2 ** 31, 2 ** 32 - 1]) {
    const bytes = craft({});
    new DataView(bytes.buffer).setUint32(12, headerBytes, true);
    await assertRefused(bytes, "INVALID_FILE", `a header of ${headerBytes} bytes`);
    const longer = crafted(json, PARTS, 2 ** 40);
    new DataView(longer.buffer).setUint32(12, headerBytes, true);
    await assertRefused(longer, "INVALID_FILE", `a header of ${headerBytes} bytes of many`);
  }
});

test("headers that are not JSON, or the wrong JSON", async () => {
  const deep = '{"model":'.repeat(7000);
  const texts = [
    ...["", " ", "{", "7", "null", "[]", '"text"', "\u0000", "\ud800", deep, "[".repeat(65536)],
    ...[`${"[".repeat(32000)}${"]".repeat(32000)}`, "{}", '{"__proto__":{}}', '{"length":1e999}'],
  ];
  for (const text of texts) {
    const code = text.startsWith('{"__') ? "UNSUPPORTED_FILE" : "INVALID_FILE";
    await assertRefused(crafted(text, PARTS.slice(0, 1)), code, text.slice(0, 40));
  }
});

test("messages that are not UTF-8", async () => {
  const { sections, ...shape } = header;
  const claim = snapshotHeader(shape, 2);
  const bytes = crafted(JSON.stringify(claim), [
    PARTS[0],
    ["messages", Uint8Array.of(0x68, 0xff)],
    ...PARTS.slice(1),
  ]);
  await assertRefused(bytes, "INVALID_FILE", "messages");
});

test.run();
