// The screens of the page, each shown from the one before.
import { change, PROMPT, press, waitForAnswer, write } from "./person.mjs";

export const SIZES = {
  phone: { width: 390, height: 844 },
  desktop: { width: 1280, height: 800 },
};

/** Sets the colour scheme. */
export async function startLook(page, scheme) {
  // Firefox cannot be told through its driver: the page's own property decides there.
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]).catch(() =>
    page.evaluate((value) => {
      document.documentElement.style.colorScheme = value;
    }, scheme),
  );
}

const closeDialog = async (page) => {
  await press(page, "Close", "dialog");
  await page.waitForFunction(() => !document.querySelector("dialog"));
};

/** In this order. */
export const SCREENS = {
  start: (page) => page.waitForSelector(".shipped"),
  plan: async (page) => {
    await page.click(".shipped");
    await page.waitForSelector(".plan");
  },
  empty: async (page) => {
    await press(page, "Load");
    await page.waitForSelector(".empty");
  },
  writing: async (page) => {
    await change(page, { seed: 5 });
    await write(page, PROMPT);
    await page.waitForFunction(() => document.querySelector(".running")?.textContent.length > 80);
  },
  chat: async (page) => {
    await waitForAnswer(page);
    await press(page, "Write another answer");
    await page.waitForSelector(".branches");
    await waitForAnswer(page);
  },
  conversations: async (page) => {
    const isPhone = await page.$eval(".action.menu", (button) => button.checkVisibility());
    if (isPhone) await page.click(".action.menu");
    await page.waitForSelector(".sidebar .title", { visible: true });
    await page.waitForFunction(() => document.getAnimations().length === 0);
  },
  settings: async (page) => {
    if (await page.$(".shade")) await page.$eval(".shade", (button) => button.click());
    await press(page, "Settings");
    await page.waitForSelector("dialog");
  },
  benchmark: async (page) => {
    await closeDialog(page);
    await press(page, "Benchmark");
    await press(page, "Run", "dialog");
    await page.waitForSelector(".chart");
    await page.waitForFunction(() => document.querySelector(".chart").complete);
  },
};
