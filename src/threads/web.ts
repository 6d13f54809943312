/**
 * A thread of its own in browsers: a module worker, which is told what it is by its first message.
 */
import { runThread, type ThreadStart } from "../model/thread.js";

addEventListener(
  "message",
  ({ data }: MessageEvent<ThreadStart>) => runThread(data, () => postMessage("ready")),
  { once: true },
);
