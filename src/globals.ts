/** Globals that a runtime, a realm or a test environment may lack. */
import { PlmError } from "./errors.js";

/** A global. Throws UNSUPPORTED_RUNTIME, saying which, where there is none of that name. */
export function requireGlobal<Name extends keyof typeof globalThis>(
  name: Name,
): (typeof globalThis)[Name] {
  const found: (typeof globalThis)[Name] | undefined = globalThis[name];
  if (found !== undefined) return found;
  throw new PlmError("UNSUPPORTED_RUNTIME", `expected the global ${name}, this runtime has none`);
}

/** A URL. Throws TypeError for what is none, UNSUPPORTED_RUNTIME where there are no URLs. */
export function parseUrl(text: string, base?: string | URL): URL {
  return new (requireGlobal("URL"))(text, base);
}

/** Milliseconds from any start, as fine as the runtime has them. */
export function nowMs(): number {
  return globalThis.performance === undefined ? Date.now() : performance.now();
}
