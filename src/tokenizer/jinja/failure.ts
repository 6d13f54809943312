/** How a template fails. */

/** An error of a template: something wrong, forbidden or unsupported. */
export class TemplateFailure extends Error {
  /** Line of the template, from 1; undefined until a caller that knows it adds it. */
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
