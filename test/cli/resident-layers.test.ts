/** Layers in memory at a time: the flag of commands that generate, and the bench's rates. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { assertFails, json, model, output } from "./support/plm.js";

interface Residency {
  readonly layers: number;
  readonly memoryBytes: number;
  readonly prefillTokensPerSecond: number;
  readonly decodeTokensPerSecond: number;
}

test("plm generate writes the same with one layer in memory", async () => {
  const flags = ["generate", "-m", model, "-p", "Hi", "-n", "12", "-s", "1"];
  assert.is(await output(...flags, "--resident-layers", "1"), await output(...flags));
  const expected = /--resident-layers: expected an integer from 1 to \d+, got 99/;
  await assertFails(expected, ...flags, "--resident-layers", "99");
});

test("plm bench measures each number of layers, and draws bars", async () => {
  const flags = ["bench", "-m", model, "-p", "8", "-n", "2", "--repeat", "1"];
  const { residentLayers } = await json<{ residentLayers: Residency[] }>(
    ...[...flags, "--resident-layers", "2,1"],
  );
  assert.equal(
    residentLayers.map(({ layers }) => layers),
    [2, 1],
  );
  for (const residency of residentLayers) {
    assert.ok(residency.prefillTokensPerSecond > 0 && residency.decodeTokensPerSecond > 0);
    assert.ok(residency.memoryBytes > 0);
  }
  const text = await output(...flags, "--resident-layers", "1");
  assert.match(text, /^prefill, 1 in memory +[\d.]+ tokens\/s █+ \(/m);
  assert.match(text, /^decode, 1 in memory +[\d.]+ tokens\/s █+ \(/m);
  const expected = /--resident-layers: expected integers >= 1 such as 1,8,32, got "2,x"/;
  await assertFails(expected, ...flags, "--resident-layers", "2,x");
});

test.run();
