/** The script of threads in Node, Deno and Bun: starts with the thread's first message. */
import { parentPort } from "node:worker_threads";
import { run } from "./run.js";

parentPort?.once("message", (message) => run(message, (reply) => parentPort?.postMessage(reply)));
