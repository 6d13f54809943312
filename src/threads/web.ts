/**
 * A thread of its own in browsers: a module worker whose first message says what it is.
 */
import { runThread, type ThreadStart } from "../model/thread.js";

addEventListener(
  "message",
  ({ data }: MessageEvent<ThreadStart>) => {
    runThread(data, () => postMessage("ready"));
    close();
  },
  { once: true },
);
