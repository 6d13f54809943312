import { test } from "uvu";
import * as assert from "uvu/assert";
import { renderChart } from "../../../src/training/report/chart.js";
import { escapeHtml } from "../../../src/training/report/html.js";
import { renderReport } from "../../../src/training/report/report.js";
import { type LogLine, parseLog } from "../../../src/training/run/log.js";
import { trainingConfig } from "../support/config.js";

const OPTIONS = { title: "A <run>", config: trainingConfig() };

/** The log line of a step; its numbers look like those of a run. */
function lineOf(step: number, changes: Partial<LogLine> = {}): LogLine {
  return {
    ...{ step, tokens: step * 256, loss: 1.5 + 6 / step, rate: 3e-3, gradNorm: 1 / step },
    ...{ zeroShares: [0.5 + step / 4000, 0.6], tokensPerSecond: 5000 + step },
    ...changes,
  };
}

const linesTo = (count: number): LogLine[] =>
  Array.from({ length: count }, (_, i) => lineOf(i + 1));

/** The svg elements of a page. */
const picturesIn = (page: string): string[] => page.match(/<svg.*?<\/svg>/gs) ?? [];

/** Fails unless every tag is closed in order and all coordinates are numbers inside the picture. */
function assertSound(page: string): void {
  const open: string[] = [];
  for (const [, close, name, rest] of page.matchAll(/<(\/?)([a-z]\w*)((?:"[^"]*"|[^>"])*)>/g)) {
    if (close) assert.is(open.pop(), name);
    else if (!rest.endsWith("/") && name !== "meta") open.push(name);
  }
  assert.equal(open, []);
  assert.not.match(page.replace(/<pre>.*?<\/pre>/s, ""), /NaN|undefined|Infinity|\bnull\b/);
  for (const picture of picturesIn(page)) {
    for (const [, name, value] of picture.matchAll(/ (x|y|cx|cy|width|height)="([^"]*)"/g)) {
      assert.match(value, /^-?\d+(\.\d+)?$/);
      const most = /y|height/.test(name) ? 260 : 720;
      assert.ok(Number(value) >= 0 && Number(value) <= most, `${name} ${value}`);
    }
    for (const [, path] of picture.matchAll(/ d="([^"]*)"/g)) {
      assert.match(path, /^([MLHhv]-?\d+(\.\d+)?( -?\d+(\.\d+)?)?)+$/);
    }
  }
}

test("a run's page has every chart, needs nothing else, and is sound", () => {
  const lines = linesTo(1000);
  lines[499] = lineOf(500, { evaluation: { loss: 1.9, bitsPerByte: 0.95, perplexity: 6.69 } });
  lines[999] = lineOf(1000, { evaluation: { loss: 2, bitsPerByte: 1, perplexity: 7.39 } });
  const page = renderReport(lines, OPTIONS);
  assertSound(page);
  assert.is(picturesIn(page).length, 4);
  assert.not.match(page, /<script|https?:|src=|@import|url\([^#]/);
  assert.match(page, "<title>A &lt;run&gt;</title>");
  assert.match(page, "<dd>1.900 (step 500)</dd>");
  assert.match(page, "<dd>256,000</dd>");
  assert.match(page, "warm-up to step 20, stable to step 600, decay to step 900, constant to step");
  for (const name of ["stable", "decay", "constant", "layer 1", "held-out"]) {
    assert.match(page, name);
  }
  assert.match(page, "prefers-color-scheme: dark");
  assert.match(page, "--layer-1: rgb(");
});

test("logs of any length: none, one step, three, very many", () => {
  assert.match(renderReport([], OPTIONS), "Nothing was logged");
  for (const count of [1, 2, 3, 600, 601, 12345]) {
    const page = renderReport(linesTo(count), OPTIONS);
    assertSound(page);
    assert.is(picturesIn(page).length, 4);
    assert.ok(page.length < 120000, `${page.length} characters`);
  }
});

test("values that are missing, not finite or huge leave gaps", () => {
  const lines = linesTo(10);
  lines[3] = lineOf(4, { loss: null, gradNorm: Number.NaN, zeroShares: [] });
  lines[6] = lineOf(7, { loss: Number.POSITIVE_INFINITY, gradNorm: 1e300, zeroShares: [0.5] });
  const page = renderReport(lines, OPTIONS);
  assertSound(page);
  const [loss] = / d="([^"]*)" stroke="var\(--train\)"/.exec(picturesIn(page)[0])!.slice(1);
  assert.is(loss.match(/M/g)!.length, 3);
  assert.is(loss.match(/L/g)!.length, 8 - 3);
  const none = lines.map((line) => ({ ...line, loss: null, gradNorm: null, zeroShares: [] }));
  assertSound(renderReport(none, OPTIONS));
  assert.is(picturesIn(renderReport(none, OPTIONS)).length, 1);
});

test("values of one height, zero and below zero are drawn", () => {
  for (const value of [0, 5, -3]) {
    const points = [1, 2, 3].map((step): [number, number] => [step, value]);
    assertSound(renderChart({ title: "t", series: [{ label: "l", color: "red", points }] }));
  }
});

test("the highest points may be beyond the top, where a chart says so", () => {
  const points = Array.from({ length: 100 }, (_, i): [number, number] => [
    i,
    i < 4 ? 1000 : i / 99,
  ]);
  const picture = (fit?: number) =>
    renderChart({ title: "t", series: [{ label: "l", color: "red", points, dots: true }], fit });
  assertSound(picture(0.95));
  assert.match(picture(), ">1,000</text>");
  assert.match(picture(0.95), ">0.8</text>");
  assert.is(picture(0.95).match(/<circle/g)!.length, 96);
});

test("runs of points are averaged", () => {
  const points = Array.from({ length: 6000 }, (_, i): [number, number] => [i, i % 10]);
  const picture = renderChart({ title: "t", series: [{ label: "l", color: "red", points }] });
  const heights = new Set(Array.from(picture.matchAll(/L[\d.]+ ([\d.]+)/g), ([, y]) => y));
  assert.is(heights.size, 1, "every run of ten has the mean 4.5");
});

test("text is escaped, in samples, titles and the config", () => {
  const sample = `<b>"Tom & Jerry's"</b>\u0000\ud800\n\tend`;
  const page = renderReport([lineOf(1, { sample })], OPTIONS);
  assertSound(page);
  assert.match(page, "&lt;b&gt;&quot;Tom &amp; Jerry&#39;s&quot;&lt;/b&gt;\ufffd\ufffd\n\tend");
  assert.match(page, "&lt;|endoftext|&gt;");
  assert.is(escapeHtml("plain é 😀"), "plain é 😀");
});

test("the last samples are shown, the newest first", () => {
  const lines = Array.from({ length: 30 }, (_, i) => lineOf(i + 1, { sample: `story ${i + 1}.` }));
  const page = renderReport(lines, OPTIONS);
  assert.match(page, "story 30.");
  assert.not.match(page, "story 18.");
  assert.ok(page.indexOf("story 30.") < page.indexOf("story 29."));
});

test("a log is read by steps; repeated steps count as they came last", () => {
  const text = [
    ...[lineOf(1), lineOf(2), lineOf(3), lineOf(2, { loss: 9 }), lineOf(4)].map((line) =>
      JSON.stringify(line),
    ),
    '{"event":"started"}',
    "7",
    "not JSON",
    '{"step":5,"tok',
  ].join("\n");
  const lines = parseLog(text);
  assert.equal(
    lines.map(({ step, loss }) => [step, loss]),
    [1, 2, 3, 4].map((step) => [step, step === 2 ? 9 : 1.5 + 6 / step]),
  );
  assert.equal(parseLog(""), []);
});

test.run();
