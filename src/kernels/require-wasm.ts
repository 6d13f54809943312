/** Checks that the runtime has WebAssembly. */
import { PlmError } from "../errors.js";

/** Throws UNSUPPORTED_RUNTIME in a runtime without WebAssembly. */
export function requireWasm(): void {
  if (typeof WebAssembly === "object") return;
  throw new PlmError(
    "UNSUPPORTED_RUNTIME",
    "runtime: expected WebAssembly, got none (node --jitless and the lockdown modes of browsers " +
      "switch it off)",
  );
}
