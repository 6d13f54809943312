/** Serves one model in a worker, whatever kind of worker it is. */

import { VERSION } from "../platform/thread-message.js";
import type { ToWorker } from "../remote/protocol.js";
import { Host } from "./host.js";
import type { NodePort, Port } from "./port.js";

/** Handles the messages that come: the first has the version of the program. */
export function run(port: Port): (message: unknown) => void {
  let host: Host | undefined;
  return (message) => {
    if (host !== undefined) host.receive(message as ToWorker);
    else {
      port.post({ version: VERSION });
      if ((message as { version?: unknown }).version === VERSION) host = new Host(port);
    }
  };
}

/** Serves it at the port of a worker of Node, Deno or Bun. */
export function runAt(port: NodePort): void {
  const post = (message: unknown, transfer?: ArrayBuffer[]): void =>
    port.postMessage(message, transfer);
  const close = (): void => (port.close === undefined ? globalThis.close() : port.close());
  port.on("message", run({ post, close }));
}
