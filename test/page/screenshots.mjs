// Pictures of the screens, to look at.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { launch, openPage } from "./browsers.mjs";
import { MODEL } from "./person.mjs";
import { SCREENS, SIZES, startLook } from "./screens.mjs";
import { serve } from "./server.mjs";

/** Writes FOLDER/SIZE-SCHEME-SCREEN.png for every screen. */
export async function takeScreenshots({ folder, to, name }) {
  mkdirSync(to, { recursive: true });
  const server = await serve(folder, { model: MODEL, isIsolated: true });
  const browser = await launch(name);
  try {
    for (const [sizeName, size] of Object.entries(SIZES)) {
      for (const scheme of ["light", "dark"]) {
        const { page, context } = await openPage(browser, `${server.origin}/`, { size });
        await startLook(page, scheme);
        for (const [screen, show] of Object.entries(SCREENS)) {
          await show(page);
          await page.screenshot({ path: join(to, `${sizeName}-${scheme}-${screen}.png`) });
        }
        await context.close();
      }
    }
  } finally {
    await browser.close();
    server.close();
  }
}
