// Checks the page's types and builds it.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const CHAT = new URL("../../examples/chat/", import.meta.url);

/** The folder with the built page. */
export function buildPage() {
  for (const command of ["check", "build"]) {
    const options = { cwd: fileURLToPath(CHAT), stdio: ["ignore", "pipe", "inherit"] };
    try {
      execFileSync("npm", ["run", "--silent", command], options);
    } catch (error) {
      throw new Error(`npm run ${command} in examples/chat: ${error.stdout}`);
    }
  }
  return fileURLToPath(new URL("dist/", CHAT));
}
