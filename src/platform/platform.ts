/** What the package asks of a runtime; `node.ts` and `web.ts` answer, chosen as "#platform". */
import type { ByteSource } from "../format/byte-source.js";
import type { ThreadHandle, ThreadScript } from "./thread-worker.js";

export interface Platform {
  /** Whether `openFile` can work: if not, a string without a scheme is a relative URL. */
  readonly hasFiles: boolean;
  /**
   * Opens a regular file by its path or file: URL. Rejects with UNREADABLE_FILE naming the path, or
   * with UNSUPPORTED_RUNTIME where there are no files.
   */
  openFile(path: string | URL): Promise<ByteSource>;
  /** Settles in a later macrotask, so that timers, input and aborts get their turn. */
  yieldToEventLoop(): Promise<void>;
  /** Whether threads that share memory can be started. */
  hasThreads(): boolean;
  /** How many threads can run at once, as the runtime has it; often wrong. */
  parallelism(): number;
  /** Whether the thread of the caller may sleep; a page's own may not. */
  maySleep(): boolean;
  /**
   * Starts a thread that is sent `start`, with a script of the caller's or that of src/threads. For
   * where hasThreads() is true.
   */
  startThread(start: unknown, script?: ThreadScript): ThreadHandle;
  /**
   * Has the engine count `bytes` of shared memory, where it does not by itself: what is returned
   * lives as long as they do.
   */
  countSharedMemory(bytes: number): unknown;
  /**
   * Has the engine collect shared memory that nothing refers to; undefined where nothing does that.
   */
  readonly collectSharedMemory?: () => void;
  /** The most memory that the process ever held, or undefined where the runtime does not say. */
  peakMemoryBytes(): number | undefined;
}
