/** Reference files beside the repository; tests that need them are skipped without them. */
import { existsSync } from "node:fs";
import { join } from "node:path";

/** The folder of reference models; if there is none, prints a line and returns undefined. */
export function referenceFolder(whatIsSkipped: string): string | undefined {
  const folder = join(process.cwd(), "..", "shared", "reference");
  if (existsSync(folder)) return folder;
  console.log(`skipped, no ${folder}: ${whatIsSkipped}`);
  return undefined;
}
