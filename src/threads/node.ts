/** A thread of its own in Node, Deno and Bun. */
import { parentPort, workerData } from "node:worker_threads";
import { runThread, type ThreadStart } from "../model/thread.js";

runThread(workerData as ThreadStart, () => parentPort!.postMessage("ready"));
