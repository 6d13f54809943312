/** A thread of its own in Node, Deno and Bun: its first message is what it starts with. */
import { parentPort } from "node:worker_threads";
import { run } from "./run.js";

parentPort?.once("message", (message) => run(message, (reply) => parentPort?.postMessage(reply)));
