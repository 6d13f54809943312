/** A save as a stream of the runtime's class. */
import { requireGlobal } from "../globals.js";
import { endWhenDropped } from "./dropped.js";

/** What a stream is filled by. */
interface StreamController {
  enqueue(piece: Uint8Array): void;
  close(): void;
}

/** The runtime's ReadableStream, which not every program's types declare. */
type StreamClass = new (
  source: { pull(controller: StreamController): Promise<void>; cancel(): void },
  strategy: { highWaterMark: number },
) => ReadableStream<Uint8Array>;

/**
 * A stream of pieces, each made when it is read; `next` resolves to undefined behind the last.
 * `end`, which must not refer to the stream, is called when the pieces are over or fail, and when
 * the stream is cancelled or dropped.
 */
export function streamOf(
  next: () => Promise<Uint8Array | undefined>,
  end: () => void,
): ReadableStream<Uint8Array> {
  const Stream = requireGlobal("ReadableStream") as unknown as StreamClass;
  const pull = async (controller: StreamController): Promise<void> => {
    let piece: Uint8Array | undefined;
    try {
      piece = await next();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    } finally {
      if (piece === undefined) end();
    }
  };
  const stream = new Stream({ pull, cancel: end }, { highWaterMark: 0 });
  endWhenDropped(stream, end);
  return stream;
}
