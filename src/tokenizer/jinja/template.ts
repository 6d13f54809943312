/** Renders Jinja templates as transformers does: a sandbox, trim_blocks, lstrip_blocks. */
import { Execution } from "./execute.js";
import { fail, TemplateFailure } from "./failure.js";
import { createRuntime } from "./filters.js";
import { fromJavascript } from "./from-javascript.js";
import { createGlobals } from "./globals.js";
import { Limits } from "./limits.js";
import { parseTemplate } from "./parse.js";
import { Scope } from "./scope.js";

/**
 * The text of a template with these variables; `now` is the clock of `strftime_now`. Throws a
 * TemplateFailure if the template is wrong, fails, is not supported or exceeds its bounds.
 */
export function renderTemplate(
  template: string,
  variables: Readonly<Record<string, unknown>>,
  now: () => Date,
): string {
  const limits = new Limits();
  const runtime = createRuntime(limits, now);
  try {
    const body = parseTemplate(template);
    const globals = new Scope(undefined, createGlobals(runtime));
    const scope = new Scope(globals);
    for (const [name, value] of Object.entries(variables)) {
      if (value !== undefined) scope.set(name, fromJavascript(value, name));
    }
    return new Execution(runtime).render(body, new Scope(scope));
  } catch (error) {
    // Nesting within the bounds may still be too deep for the caller's stack.
    if (isStackOverflow(error)) fail("expected less nesting, the stack is exhausted");
    throw error;
  }
}

/** A RangeError; in Firefox, an InternalError. */
function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError || (error as Error | undefined)?.name === "InternalError";
}

export { TemplateFailure };
