// Bad files, bad connections, hosts without isolation: the page says so and goes on.
import assert from "node:assert/strict";
import { launch, openPage } from "../browsers.mjs";
import { fileOf } from "../files.mjs";
import {
  change,
  MODEL,
  openUrl,
  PROMPT,
  pickFile,
  press,
  say,
  startShipped,
  textOf,
  waitForText,
} from "../person.mjs";
import { visit } from "../visit.mjs";

/** Firefox's storage of pages, in kB. */
const SMALL_QUOTA = { preferences: { "dom.quotaManager.temporaryStorage.fixedLimit": 4096 } };

/** Longer than all retries of a request. */
const RETRIES_MS = 120_000;

/** What browsers report by themselves for connections and answers that the test breaks. */
const NETWORK = /Failed to load resource|net::|NetworkError|404/;

export default {
  "a file that is no model": (run) =>
    visit(run, async (page) => {
      const text = "Dear diary, this is not a model. ".repeat(100);
      await pickFile(page, fileOf("holiday.gguf", text));
      await waitForText(page, ".notice.error", /not a model/);
      await startShipped(page);
    }),

  "an address with nothing behind it": (run) =>
    visit(
      run,
      async (page, { url }) => {
        await openUrl(page, `${url}nothing.gguf`);
        await waitForText(page, ".notice.error", /404/);
        await startShipped(page);
      },
      { expected: NETWORK },
    ),

  "a connection that breaks off until it is given up": (run) =>
    visit(
      run,
      async (page, { url }) => {
        await openUrl(page, `${url}models/broken.gguf`);
        await page.waitForSelector(".plan");
        await press(page, "Load");
        // The last bytes never come: retrying is given up after most of a minute.
        page.setDefaultTimeout(RETRIES_MS);
        await waitForText(page, ".notice.error", /could not be read to its end/);
        await waitForText(page, ".stored", /broken\.gguf.*interrupted at \d+ %/);
        await startShipped(page);
      },
      { expected: NETWORK },
    ),

  "closed in the middle of a download, which goes on later": (run) =>
    visit(
      run,
      async (page, { context, server, url }) => {
        await openUrl(page, `${url}models/slow.gguf`);
        await page.waitForSelector(".plan");
        await press(page, "Load");
        await page.waitForFunction(() => {
          const bar = document.querySelector("progress");
          return bar?.max > 1 && bar.value / bar.max > 0.7;
        });
        await page.close();
        const { page: again } = await openPage(run.browser, url, { context });
        await waitForText(again, ".notice", /closed while slow\.gguf was loading/);
        await waitForText(again, ".stored", /interrupted at \d+ %/);
        const { bytes } = server.sent;
        await press(again, "Resume slow.gguf");
        await again.waitForSelector(".plan");
        await press(again, "Load");
        await again.waitForSelector(".loaded");
        const rest = server.sent.bytes - bytes;
        assert.ok(rest < 5e6, `${rest} bytes of 7.7 MB were sent again`);
      },
      { dripMs: 60, expected: NETWORK },
    ),

  "a host without isolation: one thread, which is said": (run) =>
    visit(
      run,
      async (page) => {
        await startShipped(page);
        await waitForText(page, ".notice", /not cross-origin isolated, so one thread/);
        assert.match(await textOf(page, ".loaded"), /1 thread/);
        await change(page, { maxTokens: 8 });
        await say(page, PROMPT);
        await page.click(".notice button");
        await page.waitForFunction(() => !document.querySelector(".notice"));
      },
      { isIsolated: false },
    ),

  "a quota that is refused: a picked file is used without being kept": async (run) => {
    const browser = run.name === "firefox" ? await launch(run.name, SMALL_QUOTA) : run.browser;
    await visit({ ...run, browser }, async (page, { url }) => {
      if (run.name === "chromium") {
        const client = await page.createCDPSession();
        const { origin } = new URL(url);
        await client.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 100_000 });
      }
      await pickFile(page, MODEL);
      await page.waitForSelector(".plan");
      await page.click("[name=keep]");
      await press(page, "Load");
      await page.waitForSelector(".loaded");
      await waitForText(page, ".notice", /no room/);
      await change(page, { maxTokens: 8 });
      await say(page, PROMPT);
    });
    if (browser !== run.browser) await browser.close();
  },
};
