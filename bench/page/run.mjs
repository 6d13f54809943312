// The rate of decode in examples/chat while its picture of firing neurons is shown and while it is
// hidden, alternating, in Chromium: medians and their ratio. Every answer is the same.
//
//   npm run build && npm ci --ignore-scripts --prefix examples/chat && npm ci --prefix test/page
//   node bench/page/run.mjs [--model FILE] [--tokens 400] [--rounds 9] [--threads 1]
import { parseArgs } from "node:util";
import { launch } from "../../test/page/browsers.mjs";
import { buildPage } from "../../test/page/build.mjs";
import {
  change,
  MODEL,
  PROMPT,
  pickFile,
  press,
  say,
  textsOf,
  waitForAnswer,
} from "../../test/page/person.mjs";
import { visit } from "../../test/page/visit.mjs";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: MODEL },
    tokens: { type: "string", default: "400" },
    rounds: { type: "string", default: "9" },
    threads: { type: "string", default: "1" },
  },
});

const median = (all) => all.toSorted((a, b) => a - b)[all.length >> 1];

/** Another answer; its tokens a second, as the page says them. */
async function writeAnother(page) {
  await press(page, "Write another answer");
  await waitForAnswer(page);
  const text = (await textsOf(page, ".message")).at(-1);
  const [, rate] = /([\d.,]+) tokens\/s/.exec(text) ?? [];
  if (rate === undefined) throw new Error(`page: expected a rate, got ${text.slice(-200)}`);
  return Number(rate.replaceAll(",", ""));
}

const rates = { shown: [], hidden: [] };
const browser = await launch("chromium");
try {
  await visit({ browser, folder: buildPage() }, async (page) => {
    page.setDefaultTimeout(600_000);
    await change(page, { maxTokens: values.tokens, seed: 1, threads: values.threads });
    await pickFile(page, values.model);
    await page.waitForSelector(".plan");
    await press(page, "Load");
    await page.waitForSelector(".loaded");
    await say(page, PROMPT);
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const kind of ["shown", "hidden"]) {
        rates[kind].push(await writeAnother(page));
        await press(page, "Neurons");
      }
    }
  });
} finally {
  await browser.close();
}
const [shown, hidden] = [median(rates.shown), median(rates.hidden)];
const ratios = rates.shown.map((rate, i) => rate / rates.hidden[i]);
console.log(`shown ${shown} tokens/s, hidden ${hidden} (medians of ${values.rounds})`);
const all = ratios.map((each) => each.toFixed(3)).join(" ");
console.log(`a pair's ratio: ${median(ratios).toFixed(3)}; all: ${all}`);
