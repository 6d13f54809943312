/** Browsers, workers and other runtimes without a file system. */
import { PlmError } from "../errors.js";
import type { ByteSource } from "../format/source.js";
import type { Platform } from "./platform.js";

function openFile(path: string | URL): Promise<ByteSource> {
  const message = `${path}: this runtime has no files; pass a URL, a Blob, bytes or a stream`;
  return Promise.reject(new PlmError("UNSUPPORTED_RUNTIME", message));
}

/** Whether this is workerd: there messages are handled before any timer or input gets its turn. */
const isWorkerd = globalThis.navigator?.userAgent === "Cloudflare-Workers";

/** Through a message, since browsers hold nested timers back by 4 ms. */
function yieldToEventLoop(): Promise<void> {
  if (isWorkerd || typeof MessageChannel !== "function") {
    return new Promise((resolve) => setTimeout(resolve, 0));
  }
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

const platform: Platform = {
  hasFiles: false,
  openFile,
  yieldToEventLoop,
  peakMemoryBytes: () => undefined,
};
export default platform;
