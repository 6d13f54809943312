// What is there after the page was closed, and without a network.
import assert from "node:assert/strict";
import { change, PROMPT, press, say, startShipped, textOf, textsOf } from "../person.mjs";
import { visit } from "../visit.mjs";

/** Waits until the service worker has all files. */
const waitForOffline = (page) => page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));

/** Tokens of the last answer that were not evaluated. */
async function reusedTokens(page) {
  const figures = (await textsOf(page, ".assistant .figures")).at(-1);
  return Number(/(\d+) reused/.exec(figures)?.[1] ?? 0);
}

/** Waits until the rows of a conversation are kept. */
const waitForCache = (page) =>
  page.waitForFunction(async () => {
    const root = await navigator.storage.getDirectory();
    const own = await root.getDirectoryHandle("plm-chat");
    const caches = await own.getDirectoryHandle("caches");
    for await (const handle of caches.values()) {
      if ((await handle.getFile()).size > 0) return true;
    }
    return false;
  });

const WITHOUT_FILES = "if (navigator.storage) delete StorageManager.prototype.getDirectory";

export default {
  "after a reload, conversations and their rows are back": (run) =>
    visit(run, async (page) => {
      await startShipped(page);
      await change(page, { maxTokens: 40 });
      const before = await say(page, PROMPT);
      await waitForCache(page);
      const used = Number((await textOf(page, ".context")).match(/(\d+) of/)[1]);
      await page.reload();
      await page.waitForSelector(".loaded");
      assert.deepEqual(await textsOf(page, ".said"), before);
      await say(page, "Then");
      // All but the end, where the new text may change a token.
      assert.ok((await reusedTokens(page)) >= used - 4, `${await reusedTokens(page)} of ${used}`);
    }),

  "without a network, the page opens and its model writes": (run) =>
    visit(run, async (page, { server }) => {
      await startShipped(page);
      await change(page, { maxTokens: 8 });
      await say(page, PROMPT);
      await waitForOffline(page);
      await page.reload();
      await page.waitForSelector(".loaded");
      server.close();
      await page.reload();
      await page.waitForSelector(".loaded");
      assert.equal(await page.evaluate(() => crossOriginIsolated), true);
      await press(page, "New conversation");
      await page.waitForSelector(".empty");
      await say(page, "The sea was");
      await press(page, "Change the model");
      await startShipped(page);
    }),

  "the page can be installed: a manifest, and icons of the sizes that it names": (run) =>
    visit(run, async (page) => {
      const manifest = await page.evaluate(async () => {
        const { href } = document.querySelector("link[rel=manifest]");
        const { icons, display, start_url: start } = await (await fetch(href)).json();
        const sizeOf = async ({ src, sizes }) => {
          const image = new Image();
          image.src = new URL(src, href).href;
          await image.decode();
          return { sizes, isRight: sizes === "any" || sizes === `${image.width}x${image.height}` };
        };
        return { display, start, sizes: await Promise.all(icons.map(sizeOf)) };
      });
      assert.equal(manifest.display, "standalone");
      assert.equal(manifest.start, "./");
      assert.deepEqual(manifest.sizes, [
        { sizes: "any", isRight: true },
        { sizes: "192x192", isRight: true },
        { sizes: "512x512", isRight: true },
      ]);
      if (run.name === "chromium") {
        const client = await page.createCDPSession();
        assert.deepEqual((await client.send("Page.getAppManifest")).errors, []);
      }
    }),

  "without a file system (OPFS), rows are kept in the database": (run) =>
    visit(
      run,
      async (page) => {
        await startShipped(page);
        await change(page, { maxTokens: 40 });
        const before = await say(page, PROMPT);
        await page.waitForFunction(
          () =>
            new Promise((resolve) => {
              const opening = indexedDB.open("plm-chat");
              opening.onsuccess = () => {
                const store = opening.result.transaction("caches").objectStore("caches");
                const counting = store.count();
                counting.onsuccess = () => resolve(counting.result > 0);
              };
            }),
        );
        await page.reload();
        await page.waitForSelector(".loaded");
        assert.deepEqual(await textsOf(page, ".said"), before);
        await say(page, "Then");
        assert.ok((await reusedTokens(page)) > 40);
      },
      { script: WITHOUT_FILES },
    ),

  "without any storage, the page says so once and goes on": (run) =>
    visit(
      run,
      async (page) => {
        await startShipped(page);
        await change(page, { maxTokens: 8 });
        await say(page, PROMPT);
        await say(page, "Then");
        const notices = (await textsOf(page, ".notice p")).filter((text) => /keep/.test(text));
        assert.equal(notices.length, 1);
      },
      {
        script: `${WITHOUT_FILES};
          IDBFactory.prototype.open = () => { throw new DOMException("no", "SecurityError"); };
          Object.defineProperty(globalThis, "localStorage", {
            get() { throw new DOMException("no", "SecurityError"); } });`,
      },
    ),
};
