/** The worker's side of the border. */
export interface Port {
  post(message: unknown, transfer?: ArrayBuffer[]): void;
  /** Lets the worker end. */
  close(): void;
}

/** The port of a worker of Node, Deno or Bun. */
export interface NodePort {
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void;
  on(type: "message", listener: (message: unknown) => void): unknown;
  /** Deno's has none; its workers can end themselves. */
  close?(): void;
}
