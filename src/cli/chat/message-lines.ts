/** How lines become messages: a line that ends in a backslash goes on in the next one. */

/** Gathers lines. */
export class MessageLines {
  #lines: string[] = [];

  /** Whether a message has begun that goes on. */
  get isUnfinished(): boolean {
    return this.#lines.length > 0;
  }

  /** The message that the line ends; undefined if it goes on. */
  push(line: string): string | undefined {
    if (!line.endsWith("\\")) return this.#take(line);
    this.#lines.push(line.slice(0, -1));
    return undefined;
  }

  /** The message that the end of the input ends; undefined if none has begun. */
  end(): string | undefined {
    return this.isUnfinished ? this.#take() : undefined;
  }

  /** Forgets what has begun. */
  clear(): void {
    this.#lines = [];
  }

  #take(...last: string[]): string {
    const message = [...this.#lines, ...last].join("\n");
    this.clear();
    return message;
  }
}

/** The messages of lines. */
export async function* joinLines(lines: AsyncIterable<string>): AsyncGenerator<string, void> {
  const gathered = new MessageLines();
  for await (const line of lines) {
    const message = gathered.push(line);
    if (message !== undefined) yield message;
  }
  const last = gathered.end();
  if (last !== undefined) yield last;
}
