// Parcel, for pages.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assertThreads, run } from "./app.mjs";
import { lookInto } from "./chromium.mjs";

const SETTINGS = {
  private: true,
  browserslist: "last 1 Chrome version",
  "@parcel/resolver-default": { packageExports: true },
  // Workers do not load what they share with the page.
  "@parcel/bundler-default": { maxParallelRequests: 1 },
};

export default ({ root, out }, expected) => ({
  "parcel build": async () => {
    await writeFile(join(root, "package.json"), JSON.stringify(SETTINGS));
    // Parcel takes the folder of a lock file for the project's, also one above.
    await writeFile(join(root, "yarn.lock"), "");
    const folder = join(out, "parcel");
    const parcel = join(root, "node_modules/parcel/lib/bin.js");
    const options = ["--dist-dir", folder, "--no-cache", "--no-source-maps"];
    await run(process.execPath, [parcel, "build", "index.html", ...options], { cwd: root });
    assertThreads(await lookInto(folder), expected);
  },
});
