// From the start screen to a model.
import assert from "node:assert/strict";
import { MODEL, pickFile, press, say, startShipped, textOf, waitForText } from "../person.mjs";
import { visit } from "../visit.mjs";

export default {
  "the shipped model: plan before loading, then text": (run) =>
    visit(run, async (page) => {
      await (await page.waitForSelector(".shipped")).click();
      await page.waitForSelector(".plan");
      const plan = await textOf(page, ".plan");
      for (const part of ["Weights", "7.58 MB", "631 kB", "18.3 MB", "7.00 million"]) {
        assert.ok(plan.includes(part), `${part} in ${plan}`);
      }
      await press(page, "Back");
      await startShipped(page);
      const [asked, told] = await say(page, "Once upon a time");
      assert.equal(asked, "Once upon a time");
      assert.match(told, /\w{2,} \w{2,}/);
      assert.match(await textOf(page, ".assistant .figures"), /\d tokens · [\d,]+ tokens\/s · 9/);
      assert.match(await textOf(page, ".context"), /\d+ of 512/);
    }),

  "a shorter context takes less cache": (run) =>
    visit(run, async (page) => {
      await (await page.waitForSelector(".shipped")).click();
      await page.waitForSelector(".plan");
      await page.select("[name=context]", "256");
      await waitForText(page, ".memory .cache", /315 kB/);
      await press(page, "Load");
      await page.waitForSelector(".loaded");
      assert.match(await textOf(page, ".context"), /0 of 256/);
    }),

  "a picked file, kept in the browser, is there the next time": (run) =>
    visit(run, async (page) => {
      await pickFile(page, MODEL);
      await page.waitForSelector(".plan");
      await page.click("[name=keep]");
      await press(page, "Load");
      await page.waitForSelector(".loaded");
      assert.match(await textOf(page, ".loaded"), /plm-tiny\.gguf/);
      await page.reload();
      await page.waitForSelector(".loaded");
      await press(page, "Change the model");
      await waitForText(page, ".stored", /plm-tiny\.gguf/);
      await press(page, "Delete plm-tiny.gguf");
      await page.waitForFunction(() => !document.querySelector(".stored"));
    }),

  "a URL is loaded once, and kept": (run) =>
    visit(run, async (page, { server, url }) => {
      await page.waitForSelector("[name=url]");
      await page.type("[name=url]", `${url}models/whole.gguf`);
      await press(page, "Open");
      await page.waitForSelector(".plan");
      await press(page, "Load");
      await page.waitForSelector(".loaded");
      const { bytes } = server.sent;
      await page.reload();
      await page.waitForSelector(".loaded");
      assert.equal(server.sent.bytes, bytes);
    }),
};
