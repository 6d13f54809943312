/** What the package asks of a runtime: `node.ts` and `web.ts` implement it as "#platform". */
import type { ByteSource } from "../format/byte-source.js";
import type { Sha256 } from "../format/sha256.js";
import type { FileStore } from "../store/file-store.js";
import type { ThreadHandle, ThreadScript, ThreadWorker } from "./thread-worker.js";

export interface Platform {
  /** Whether `openFile` can work; if not, a string without a scheme is a relative URL. */
  readonly hasFiles: boolean;
  /**
   * Opens a regular file by its path or file: URL. Rejects with UNREADABLE_FILE naming the path, or
   * with UNSUPPORTED_RUNTIME where there are no files.
   */
  openFile(path: string | URL): Promise<ByteSource>;
  /**
   * Paths of what is in a folder, by the folder's path or file: URL; undefined for what is no
   * folder or cannot be listed.
   */
  listFolder(path: string | URL): Promise<string[] | undefined>;
  /**
   * The place where downloaded files are kept. Rejects with UNSUPPORTED_RUNTIME where there is
   * none, or none that may be used.
   */
  openStore(): Promise<FileStore>;
  /**
   * Whether fetch keeps what it gets: models are too large for that, and browsers let requests for
   * parts of one file wait for each other.
   */
  readonly hasHttpCache: boolean;
  /** An environment variable; undefined if it is not set or may not be read. */
  environment(name: string): string | undefined;
  createSha256(): Promise<Sha256>;
  /** Settles in a later macrotask, so that timers, input and aborts are handled. */
  yieldToEventLoop(): Promise<void>;
  /** Whether threads that share memory can be started. */
  hasThreads(): boolean;
  /** Whether workers can be started that share no memory with their program. */
  hasWorkers(): boolean;
  /**
   * A worker that serves a model: it runs the caller's script or that of src/worker. Requires
   * hasWorkers().
   */
  createWorker(script?: ThreadScript): ThreadWorker;
  /** How many threads can run at once, as the runtime reports it; often wrong. */
  parallelism(): number;
  /** Whether the caller's thread may sleep; a page's main thread may not. */
  maySleep(): boolean;
  /**
   * Starts a thread and sends it `start`; it runs the caller's script or that of src/threads.
   * Requires hasThreads().
   */
  startThread(start: unknown, script?: ThreadScript): ThreadHandle;
  /**
   * Makes the engine count `bytes` of shared memory where it does not by itself. Keep the result as
   * long as the memory.
   */
  countSharedMemory(bytes: number): unknown;
  /**
   * Makes the engine collect shared memory that nothing refers to; undefined where nothing can.
   */
  readonly collectSharedMemory?: () => void;
  /**
   * Whether streams of blobs had better fill a caller's buffer, as in Chromium: in WebKit this
   * takes three times as long as its own chunks, and twice their memory.
   */
  readonly fillsBuffers: boolean;
  /**
   * Frees the package's own buffer after its last use, where the engine collects late: WebKit keeps
   * pieces of a download for so long that loading takes twice the model's memory.
   */
  freeBuffer(buffer: ArrayBufferLike): void;
  /** The device's memory, or what a container leaves of it, where the runtime reports it. */
  deviceMemoryBytes(): number | undefined;
  /** The process's peak memory, or undefined where the runtime does not report it. */
  peakMemoryBytes(): number | undefined;
}
