/** What the package asks of a runtime; `node.ts` and `web.ts` answer, chosen as "#platform". */
import type { ByteSource } from "../format/source.js";

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
  /** The most memory that the process ever held, or undefined where the runtime does not say. */
  peakMemoryBytes(): number | undefined;
}
