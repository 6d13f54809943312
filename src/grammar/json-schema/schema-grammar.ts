/** To come. */
import type { Grammar } from "../expression.js";
export function schemaGrammar(_schema: unknown): Grammar {
  throw new Error("not yet");
}
