// Writing with the model: streams, branches, conversations, settings, the benchmark.
import assert from "node:assert/strict";
import { chatModel, fileOf } from "../files.mjs";
import {
  change,
  PROMPT,
  pickFile,
  press,
  say,
  startShipped,
  textOf,
  textsOf,
  waitForAnswer,
  waitForText,
  write,
} from "../person.mjs";
import { visit } from "../visit.mjs";

export default {
  "an answer streams, and Escape stops it": (run) =>
    visit(run, async (page) => {
      await startShipped(page);
      await write(page, PROMPT);
      const early = await waitForText(page, ".running", /\w+ \w+/);
      await page.waitForFunction(
        (n) => document.querySelector(".running")?.textContent.length > n,
        {},
        early.length,
      );
      await page.keyboard.press("Escape");
      const [, told] = await waitForAnswer(page);
      assert.ok(told.startsWith(early), `${told} begins with ${early}`);
      assert.match(await textOf(page, ".assistant .figures"), /stopped/);
      assert.equal(await page.$eval(".chat > [role=status]", (e) => e.textContent.trim()), told);
    }),

  "another answer and an edited message are branches, and arrows switch": (run) =>
    visit(run, async (page) => {
      await startShipped(page);
      await change(page, { maxTokens: 24 });
      const first = await say(page, PROMPT);
      await press(page, "Write another answer");
      await waitForText(page, ".branches", /2\/2/);
      const second = await waitForAnswer(page);
      assert.equal(second[0], first[0]);
      assert.notEqual(second[1], first[1]);
      assert.match(await textOf(page, ".assistant .figures"), /reused/);
      await press(page, "Previous branch");
      await waitForText(page, ".branches", /1\/2/);
      assert.deepEqual(await textsOf(page, ".said"), first);
      await press(page, "Edit");
      await page.waitForSelector(".editor textarea");
      await page.$eval(".editor textarea", (area) => area.select());
      await page.keyboard.type("The old boat");
      await page.keyboard.press("Enter");
      await waitForText(page, ".user .branches", /2\/2/);
      const third = await waitForAnswer(page);
      assert.equal(third[0], "The old boat");
      await press(page, "Previous branch", ".user");
      await waitForText(page, ".user .branches", /1\/2/);
      assert.equal((await textsOf(page, ".said"))[0], PROMPT);
    }),

  "two conversations, one is deleted": (run) =>
    visit(run, async (page) => {
      await startShipped(page);
      await change(page, { maxTokens: 8 });
      await say(page, "The sea was");
      await press(page, "New conversation");
      await page.waitForSelector(".empty");
      await say(page, "A small dog");
      assert.deepEqual(await textsOf(page, ".sidebar .title"), ["A small dog", "The sea was"]);
      await press(page, "The sea was");
      await waitForText(page, ".user .said", /The sea was/);
      await press(page, "Delete The sea was");
      await waitForText(page, ".user .said", /A small dog/);
      assert.deepEqual(await textsOf(page, ".sidebar .title"), ["A small dog"]);
    }),

  "the same seed gives the same text, also after a reload": (run) =>
    visit(run, async (page) => {
      await startShipped(page);
      await change(page, { seed: 7, maxTokens: 20, temperature: 0.9 });
      const [, first] = await say(page, PROMPT);
      await page.reload();
      await page.waitForSelector(".loaded");
      await press(page, "New conversation");
      await page.waitForSelector(".empty");
      const [, second] = await say(page, PROMPT);
      assert.equal(second, first);
      await press(page, "Settings");
      await press(page, "Reset all");
      await page.waitForFunction(() => document.querySelector("[name=seed]").value === "");
    }),

  "a model with roles chats, and takes a system prompt": (run) =>
    visit(run, async (page) => {
      await pickFile(page, fileOf("chat.gguf", chatModel()));
      await page.waitForSelector(".plan");
      await press(page, "Load");
      await waitForText(page, ".empty", /talk about/);
      await change(page, { maxTokens: 8 });
      await say(page, "Hi");
      const used = async () => Number((await textOf(page, ".context")).match(/(\d+) of/)[1]);
      const before = await used();
      await change(page, { system: "Tell a story about a small dog." });
      assert.ok((await used()) > before + 5);
      const texts = await say(page, "Go on");
      assert.equal(texts.length, 4);
      // In turns, nothing is sent without a text.
      assert.equal(await page.$eval(".composer [type=submit]", (button) => button.disabled), true);
    }),

  "the benchmark gives figures and a chart": (run) =>
    visit(run, async (page) => {
      await startShipped(page);
      await press(page, "Benchmark");
      await press(page, "Run", "dialog");
      await page.waitForSelector(".chart");
      const figures = await textOf(page, ".figures-text");
      assert.match(figures, /reading 128 tokens: [\d,.]+ tokens\/s \(median of 5/);
      assert.match(figures, /writing 32 tokens: [\d,.]+ tokens\/s/);
      assert.match(figures, /thread.*kernels/);
      await page.waitForFunction(() => document.querySelector(".chart").naturalWidth > 0);
      await page.keyboard.press("Escape");
      await page.waitForFunction(() => !document.querySelector("dialog"));
    }),
};
