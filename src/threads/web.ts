/**
 * A thread of its own as a module worker of the web, or in Node, Deno and Bun where no condition
 * said so: its first message is what it starts with.
 */
import { runThread, type ThreadStart } from "../engine/thread.js";
import { builtin } from "../platform/builtin.js";

const port = builtin("node:worker_threads")?.parentPort;
if (port) {
  port.once("message", (start: ThreadStart) => runThread(start, () => port.postMessage("ready")));
} else {
  addEventListener(
    "message",
    ({ data }: MessageEvent<ThreadStart>) => {
      runThread(data, () => postMessage("ready"));
      close();
    },
    { once: true },
  );
}
