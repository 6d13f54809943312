// A visit of the page: a server, a page with an empty storage, and no errors at the end.
import assert from "node:assert/strict";
import { openPage } from "./browsers.mjs";
import { MODEL } from "./person.mjs";
import { serve } from "./server.mjs";

/**
 * Opens the page and uses it; fails for errors that the page reports, unless `expected` describes
 * them. `use` takes the page, its context, its server and its address.
 */
export async function visit(
  { browser, folder },
  use,
  { isIsolated = true, dripMs, expected, ...opening } = {},
) {
  const server = await serve(folder, { model: MODEL, isIsolated, dripMs });
  const url = `${server.origin}/`;
  const { page, context, errors } = await openPage(browser, url, opening);
  try {
    await use(page, { context, server, url });
    const unexpected = errors.filter((error) => !expected?.test(error));
    assert.deepEqual(unexpected, []);
  } finally {
    await context.close();
    server.close();
  }
}
