import { test } from "uvu";
import * as assert from "uvu/assert";
import { crc32 } from "../../../src/format/crc32.js";
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
} from "../../../src/training/run/checkpoint.js";
import { firstDifference } from "../../../src/training/run/config-difference.js";
import { assertThrows } from "../../model/support/engine.js";
import { joined } from "../../support/joined.js";
import { seededRandom } from "../../support/random.js";
import { type ConfigJson, trainingConfig } from "../support/config.js";
import { smallCheckpoint } from "../support/store.js";

const config = trainingConfig();
const sound = joined(encodeCheckpoint(smallCheckpoint(7), config));

/** The sound file with its bytes changed and its checksum made to fit. */
function changed(change: (bytes: Uint8Array, view: DataView) => void): Uint8Array {
  const bytes = sound.slice();
  const view = new DataView(bytes.buffer);
  change(bytes, view);
  view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)), true);
  return bytes;
}

test("what was encoded is decoded, to the last bit", () => {
  const checkpoint = smallCheckpoint(7);
  assert.equal(decodeCheckpoint(sound, config), checkpoint);
  const special = Float32Array.of(NaN, -0, Infinity, 1e-45, -3.4e38);
  const { best, ...others } = checkpoint;
  const odd: Checkpoint = { ...others, tensors: new Map([["m", special]]) };
  const decoded = decodeCheckpoint(joined(encodeCheckpoint(odd, config)), config);
  assert.not.ok("best" in decoded);
  const bits = (floats: Float32Array) => new Uint32Array(floats.slice().buffer);
  assert.equal(bits(decoded.tensors.get("m")!), bits(special));
});

test("bytes at any offset, tensors of shared memory, no tensors", () => {
  for (const offset of [1, 2, 3, 4]) {
    const shifted = new Uint8Array(sound.length + offset);
    shifted.set(sound, offset);
    assert.equal(decodeCheckpoint(shifted.subarray(offset), config), smallCheckpoint(7));
  }
  const shared = new Float32Array(new SharedArrayBuffer(64), 8, 3).fill(2);
  const tensors = new Map([["p", shared]]);
  const pieces = encodeCheckpoint({ ...smallCheckpoint(7), tensors }, config);
  const decoded = decodeCheckpoint(joined(pieces), config);
  assert.equal(Array.from(decoded.tensors.get("p")!), [2, 2, 2]);
  const none = { ...smallCheckpoint(7), tensors: new Map() };
  assert.equal(decodeCheckpoint(joined(encodeCheckpoint(none, config)), config), none);
});

test("every truncation is refused", () => {
  for (let length = 0; length < sound.length; length += 1 + Math.floor(length / 40)) {
    assertThrows(() => decodeCheckpoint(sound.subarray(0, length), config), "INVALID_FILE");
  }
  const message = `expected ${sound.length} bytes, got ${sound.length - 1}`;
  assertThrows(() => decodeCheckpoint(sound.subarray(0, -1), config), "INVALID_FILE", message);
  const longer = joined([sound, Uint8Array.of(0)]);
  assertThrows(() => decodeCheckpoint(longer, config), "INVALID_FILE", "bytes");
});

test("every flipped bit is refused", () => {
  const random = seededRandom(3);
  for (let i = 0; i < 300; i++) {
    const bytes = sound.slice();
    const at = i < 24 ? i : Math.floor(random() * bytes.length);
    bytes[at] ^= 1 << Math.floor(random() * 8);
    let code = "none";
    try {
      decodeCheckpoint(bytes, config);
    } catch (error) {
      code = (error as { code: string }).code;
    }
    assert.is(code, at >= 8 && at < 12 ? "UNSUPPORTED_FILE" : "INVALID_FILE", `byte ${at}`);
  }
});

test("another format, another version, a header beyond the end or of no JSON", () => {
  const gguf = new TextEncoder().encode("GGUF and more bytes than the prefix has");
  assertThrows(() => decodeCheckpoint(gguf, config), "INVALID_FILE", '"PLMTRAIN"', "GGUF and");
  const version = changed((_, view) => view.setUint32(8, 9, true));
  assertThrows(() => decodeCheckpoint(version, config), "UNSUPPORTED_FILE", "version 1, got 9");
  const header = changed((_, view) => view.setUint32(12, 0xfffffff8, true));
  assertThrows(() => decodeCheckpoint(header, config), "INVALID_FILE", "a whole header");
  const text = changed((bytes) => bytes.fill(0x7b, 24, 32));
  assertThrows(() => decodeCheckpoint(text, config), "INVALID_FILE", "a header of JSON");
});

test("a checkpoint of another config is refused, the first key that differs named", () => {
  const refused = (change: (json: ConfigJson) => void, ...parts: string[]) => {
    const other = trainingConfig(change);
    assertThrows(() => decodeCheckpoint(sound, other), "INVALID_CONFIG", ...parts);
  };
  refused((json) => {
    json.model.hiddenSize = 96;
    json.batch.tokens = 128;
  }, "model.hiddenSize 64, not 96");
  refused((json) => {
    json.schedule.peakRate = 2e-3;
  }, "rate of step 1: ");
  refused((json) => {
    json.schedule.warmup = 0.004;
  }, "rate of step 1: ");
  refused((json) => {
    json.schedule.warmup = 0.006;
  }, "rate of step 1: ");
  refused((json) => {
    json.phases.stable = { stories: 3, prose: 2 };
  }, "mix.prose of step 1: 1, not 2");
  refused((json) => {
    json.batch.accumulate = [
      [0, 1],
      [0.0051, 2],
    ];
  }, "microBatches of step 7: 1, not 2");
  refused((json) => delete json.evaluation, "evaluation {");
});

test("how a run is watched and kept, and where texts lie, may change", () => {
  const watched = trainingConfig((json) => {
    json.samples = { every: 3, prompt: "x" };
    json.checkpoint = { every: 3 };
    json.evaluation.every = 9;
    json.texts.prose = { path: "elsewhere/prose.txt" };
    json.phases.stable = { prose: 1, stories: 3 };
  });
  assert.is(firstDifference(watched, config, 1000), undefined);
  assert.is(decodeCheckpoint(sound, watched).step, 7);
});

test("the plan may change for steps to come, and for no other", () => {
  const longer = trainingConfig((json) => {
    Object.assign(json.schedule, { steps: 4000, warmup: 0.005, curve: "linear", finalRate: 0 });
    json.phases.decay = { prose: 1 };
    json.batch.accumulate = [
      [0, 1],
      [0.15, 2],
    ];
  });
  assert.is(firstDifference(longer, config, 600), undefined);
  assert.is(decodeCheckpoint(sound, longer).step, 7);
  const { path, one } = firstDifference(longer, config, 601)!;
  assert.equal([path, one], ["rate of step 601:", "0.003"]);
});

test.run();
