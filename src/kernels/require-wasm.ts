/** The one thing that every runtime must have. */
import { PlmError } from "../errors.js";

/** Throws UNSUPPORTED_RUNTIME where there is no WebAssembly at all. */
export function requireWasm(): void {
  if (typeof WebAssembly === "object") return;
  throw new PlmError(
    "UNSUPPORTED_RUNTIME",
    "runtime: expected WebAssembly, got none (node --jitless and the lockdown modes of browsers " +
      "switch it off)",
  );
}
