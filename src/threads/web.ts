/**
 * A thread of its own as a module worker of the web, or in Node, Deno and Bun where no condition
 * said so: its first message is what it starts with.
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
