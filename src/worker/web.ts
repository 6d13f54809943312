/**
 * The script of a model's worker as a module worker of the web, also in Node, Deno and Bun if a
 * build has no condition for these.
 */
import { builtin } from "../platform/builtin.js";
import { run, runAt } from "./run.js";

const port = builtin("node:worker_threads")?.parentPort;
if (port) {
  runAt(port);
} else {
  const receive = run({
    post: (message, transfer) => postMessage(message, { transfer: transfer ?? [] }),
    close: () => close(),
  });
  addEventListener("message", ({ data }: MessageEvent<unknown>) => receive(data));
}
