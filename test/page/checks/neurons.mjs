// The picture of firing neurons.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { change, PROMPT, press, startShipped, textsOf, waitForAnswer, write } from "../person.mjs";
import { visit } from "../visit.mjs";

const countsOf = (page) => page.$eval("canvas", ({ dataset }) => ({ ...dataset }));

/** Pixels that shine. */
const countLit = (page) =>
  page.$eval("canvas", (canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => i % 4 === 3 && value > 0).length;
  });

export default {
  "the picture shows layers and what was skipped": (run) =>
    visit(run, async (page) => {
      await startShipped(page);
      await write(page, PROMPT);
      await page.waitForFunction(() => Number(document.querySelector("canvas").dataset.drawn) > 2);
      await waitForAnswer(page);
      assert.ok((await countLit(page)) > 20);
      const shares = await textsOf(page, ".shares li");
      assert.equal(shares.length, 7);
      assert.match(shares[0], /Layer 1: \d+ % of neurons fired/);
      const [skipped] = await textsOf(page, ".skipped");
      assert.match(skipped, /^[89]\d % skipped$/);
    }),

  "nothing is asked while the panel is closed, out of the window, or nothing is written": (run) =>
    visit(run, async (page) => {
      await startShipped(page);
      await change(page, { maxTokens: 60 });
      await write(page, PROMPT);
      await page.waitForFunction(() => Number(document.querySelector("canvas").dataset.drawn) > 0);
      await waitForAnswer(page);
      await page.$eval(".neurons", (element) => {
        element.style.translate = "-200vw";
      });
      // Browsers tell a page with one of its next frames.
      await sleep(500);
      const before = await countsOf(page);
      await press(page, "Write another answer");
      await waitForAnswer(page);
      assert.deepEqual(await countsOf(page), before);
      await press(page, "Neurons");
      await page.waitForFunction(() => !document.querySelector("canvas"));
      await press(page, "Write another answer");
      await waitForAnswer(page);
      await press(page, "Neurons");
      await page.waitForSelector("canvas");
      assert.deepEqual(await countsOf(page), {});
    }),
};
