/** Globals that a runtime, a realm or a test environment may lack. */
import { PlmError } from "./errors.js";

/** A global. Throws UNSUPPORTED_RUNTIME, naming it, where the runtime has none of that name. */
export function requireGlobal<Name extends keyof typeof globalThis>(
  name: Name,
): (typeof globalThis)[Name] {
  const found: (typeof globalThis)[Name] | undefined = globalThis[name];
  if (found !== undefined) return found;
  throw new PlmError("UNSUPPORTED_RUNTIME", `expected the global ${name}, this runtime has none`);
}

/** A URL. Throws TypeError for invalid text, UNSUPPORTED_RUNTIME where there are no URLs. */
export function parseUrl(text: string, base?: string | URL): URL {
  return new (requireGlobal("URL"))(text, base);
}
