// Builds examples/chat and drives it in browsers: node run.mjs [chromium firefox]
// With --screenshots FOLDER, writes pictures of it instead of checking it.
import { BROWSERS, isInstalled, launch } from "./browsers.mjs";
import { buildPage } from "./build.mjs";
import chat from "./checks/chat.mjs";
import failures from "./checks/failures.mjs";
import looks from "./checks/looks.mjs";
import neurons from "./checks/neurons.mjs";
import start from "./checks/start.mjs";
import storage from "./checks/storage.mjs";
import { takeScreenshots } from "./screenshots.mjs";

const CHECKS = { ...start, ...chat, ...neurons, ...storage, ...failures, ...looks };
const CHECK_MS = 180_000;

/** A check that does not hang. */
async function inTime(check) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${CHECK_MS / 1000} s`)), CHECK_MS);
  });
  try {
    await Promise.race([check, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function runIn(name, folder, only) {
  const counts = { passed: 0, failed: 0 };
  const browser = await launch(name);
  try {
    for (const [what, check] of Object.entries(CHECKS)) {
      if (only !== undefined && !what.includes(only)) continue;
      const before = await browser.browserContexts();
      try {
        await inTime(check({ browser, name, folder }));
        counts.passed++;
        console.log(`ok ${name}: ${what}`);
      } catch (error) {
        counts.failed++;
        console.log(`FAIL ${name}: ${what}: ${error.stack.split("\n").slice(0, 14).join("\n")}`);
      }
      for (const context of browser.browserContexts()) {
        if (!before.includes(context)) await context.close();
      }
    }
  } finally {
    await browser.close();
  }
  return counts;
}

const args = process.argv.slice(2);
const takeOption = (flag) => {
  const at = args.indexOf(flag);
  return at < 0 ? undefined : args.splice(at, 2)[1];
};
const screenshots = takeOption("--screenshots");
const only = takeOption("--only");
const names = args.length > 0 ? args : BROWSERS;
const unknown = names.find((name) => !BROWSERS.includes(name));
if (unknown !== undefined) {
  console.error(`run.mjs: expected ${BROWSERS.join(", ")}; got ${unknown}`);
  process.exit(2);
}
const folder = buildPage();
if (screenshots !== undefined) {
  await takeScreenshots({ folder, to: screenshots, name: names[0] });
  process.exit(0);
}
const total = { passed: 0, failed: 0 };
for (const name of names) {
  if (!isInstalled(name)) {
    total.failed++;
    console.log(`FAIL ${name}: not installed`);
    continue;
  }
  const { passed, failed } = await runIn(name, folder, only);
  total.passed += passed;
  total.failed += failed;
}
console.log(`page: ${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);
