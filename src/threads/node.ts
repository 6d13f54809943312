/** A thread of its own in Node, Deno and Bun: its first message is what it starts with. */
import { parentPort } from "node:worker_threads";
import { runThread } from "../engine/thread.js";

parentPort?.once("message", (start) => runThread(start, () => parentPort?.postMessage("ready")));
