/** The script of a model's worker in Node, Deno and Bun. */
import { parentPort } from "node:worker_threads";
import { run } from "./run.js";

const port = parentPort;
port?.on(
  "message",
  run({
    post: (message, transfer) => port.postMessage(message, transfer),
    close: () => port.close(),
  }),
);
