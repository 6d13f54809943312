// What a person does with the page.
import { fileURLToPath } from "node:url";

export const MODEL = fileURLToPath(new URL("../../models/plm-tiny.gguf", import.meta.url));

export const PROMPT = "Once upon a time, there was a little fox who";

/** An element's text, as it is shown. */
export const textOf = (page, selector) => page.$eval(selector, (element) => element.textContent);

export const textsOf = (page, selector) =>
  page.$$eval(selector, (elements) => elements.map((element) => element.textContent));

/** Waits until an element's text has a pattern; resolves to the text. */
export async function waitForText(page, selector, pattern) {
  const handle = await page.waitForFunction(
    (selector, source) => {
      const texts = [...document.querySelectorAll(selector)].map((each) => each.textContent);
      return texts.find((text) => new RegExp(source).test(text));
    },
    {},
    selector,
    pattern.source,
  );
  return handle.jsonValue();
}

/** Presses the button with a name, as screen readers have it. */
export async function press(page, name, within = "body") {
  const button = await page.waitForFunction(
    (name, within) => {
      const buttons = document.querySelector(within)?.querySelectorAll("button") ?? [];
      const isMeant = (each) => each.textContent.trim() === name && !each.disabled;
      return [...buttons].find(isMeant);
    },
    {},
    name,
    within,
  );
  await button.evaluate((element) => element.click());
}

/** Starts the model that comes with the page. */
export async function startShipped(page) {
  await (await page.waitForSelector(".shipped")).click();
  await page.waitForSelector(".plan");
  await press(page, "Load");
  await page.waitForSelector(".loaded");
}

/** Loads the model behind an address, as far as its plan. */
export async function openUrl(page, url) {
  await page.waitForSelector("[name=url]");
  await page.type("[name=url]", url);
  await press(page, "Open");
}

/** Picks a model file, as far as its plan. */
export async function pickFile(page, path) {
  await (await page.waitForSelector("[name=file]")).uploadFile(path);
}

/** Writes a message; nothing is waited for. */
export async function write(page, text) {
  await page.focus("[name=message]");
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
}

/** Waits until nothing is being written; resolves to the texts of the branch that is shown. */
export async function waitForAnswer(page) {
  await page.waitForFunction(() => {
    const { length } = document.querySelectorAll(".message");
    return (
      length > 0 &&
      !document.querySelector(".running") &&
      !document.querySelector(".tools button[disabled]:not(.branches button)")
    );
  });
  return textsOf(page, ".said");
}

/** Writes a message and waits for its answer. */
export async function say(page, text) {
  const count = (await textsOf(page, ".said")).length;
  await write(page, text);
  await page.waitForFunction((n) => document.querySelectorAll(".said").length > n, {}, count + 1);
  return waitForAnswer(page);
}

/** Changes numbers of the settings by their names. */
export async function change(page, values) {
  await press(page, "Settings");
  for (const [name, value] of Object.entries(values)) {
    const field = await page.waitForSelector(`dialog [name=${name}]`);
    await field.evaluate((element, value) => {
      element.value = value;
      element.dispatchEvent(new Event("change", { bubbles: true }));
    }, String(value));
  }
  await press(page, "Close", "dialog");
  await page.waitForFunction(() => !document.querySelector("dialog"));
}
