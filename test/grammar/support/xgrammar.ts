/** xgrammar, the oracle: its package is CommonJS in a file that says it is a module. */
import { copyFileSync, mkdtempSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

type XGrammar = typeof import("@mlc-ai/web-xgrammar");

export function loadXGrammar(): XGrammar {
  const file = join(mkdtempSync(join(tmpdir(), "plm-")), "xgrammar.cjs");
  copyFileSync(fileURLToPath(import.meta.resolve("@mlc-ai/web-xgrammar")), file);
  return createRequire(import.meta.url)(file) as XGrammar;
}
