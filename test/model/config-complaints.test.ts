/** A config's faults are each reported once, in text that is safe to print. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseConfig } from "../../src/model/config.js";
import { type Changes, metadataWith } from "./support/changed-metadata.js";
import { assertThrows } from "./support/engine.js";
import { ODD_DIMS } from "./support/tiny.js";

function assertUnsupported(changes: Changes, ...parts: string[]): void {
  assertThrows(() => parseConfig(metadataWith(changes)), "UNSUPPORTED_FILE", ...parts);
}

/** Fails unless the message has one problem for each of these keys. */
function assertComplaints(changes: Changes, ...keys: string[]): void {
  try {
    parseConfig(metadataWith(changes));
  } catch (error) {
    const complaints = (error as Error).message.replace(/^config: /, "").split("; ");
    assert.is(complaints.length, keys.length, complaints.join("\n"));
    keys.forEach((key, i) => {
      assert.ok(complaints[i].includes(`${key}: expected`), complaints[i]);
    });
    return;
  }
  assert.unreachable(keys.join());
}

test("one fault, one problem", () => {
  const noHeadDims = {
    "plm.attention.key_length": undefined,
    "plm.attention.value_length": undefined,
  };
  assertComplaints(
    {
      "plm.attention.head_count": undefined,
      "plm.attention.head_count_kv": undefined,
      ...noHeadDims,
    },
    "plm.attention.head_count",
  );
  const layers = Uint32Array.of(320, 320);
  assertComplaints(
    { "plm.block_count": undefined, "plm.feed_forward_length": layers },
    "plm.block_count",
  );
  assertComplaints({ "plm.attention.head_count_kv": 0 }, "plm.attention.head_count_kv");
  assertComplaints({ "plm.rope.scaling.type": 3 }, "plm.rope.scaling.type");
});

test("a file's keys cannot write to the terminal", () => {
  const key = "plm.\u001b[31m\u009b2J\u007f";
  assertUnsupported({ [key]: "\u009b" }, '"plm.\\u001b[31m\\u009b2J\\u007f"', '"\\u009b"');
});

test("a window within the context is refused, with the values that are accepted", () => {
  const { contextLength } = ODD_DIMS;
  assertUnsupported(
    { "plm.attention.sliding_window": 1 },
    `expected 0 or at least ${contextLength}`,
  );
});

test.run();
