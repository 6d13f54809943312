/** How a template fails. */

/** What a template did that it may not, or that is not supported. */
export class TemplateFailure extends Error {
  /** Line of the template, from 1; undefined until a part that knows it is reached. */
  line: number | undefined;

  constructor(message: string, line?: number) {
    super(message);
    this.line = line;
  }
}

/** Throws a TemplateFailure. */
export function fail(message: string, line?: number): never {
  throw new TemplateFailure(message, line);
}
