/**
 * The script of threads as module workers of the web, also in Node, Deno and Bun if a build has no
 * condition for these: starts with the thread's first message.
 */
import { builtin } from "../platform/builtin.js";
import type { ThreadMessage } from "../platform/thread-message.js";
import { type EngineStart, run } from "./run.js";

type Message = ThreadMessage<EngineStart>;

const port = builtin("node:worker_threads")?.parentPort;
if (port) {
  port.once("message", (message: Message) => run(message, (reply) => port.postMessage(reply)));
} else {
  addEventListener(
    "message",
    ({ data }: MessageEvent<Message>) => {
      run(data, (reply) => postMessage(reply));
      close();
    },
    { once: true },
  );
}
