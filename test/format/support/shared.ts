/** Reference files that lie beside the repository; tests skip what needs them if absent. */
import { existsSync } from "node:fs";
import { join } from "node:path";

/** The folder of reference models, or undefined, after a printed line, where there is none. */
export function referenceFolder(whatIsSkipped: string): string | undefined {
  const folder = join(process.cwd(), "..", "shared", "reference");
  if (existsSync(folder)) return folder;
  console.log(`skipped, no ${folder}: ${whatIsSkipped}`);
  return undefined;
}
