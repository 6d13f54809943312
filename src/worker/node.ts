/** The script of a model's worker in Node, Deno and Bun. */
import { parentPort } from "node:worker_threads";
import { runAt } from "./run.js";

if (parentPort !== null) runAt(parentPort);
