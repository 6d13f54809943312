/** The save of a session whose engine runs in a worker. */
import { endWhenDropped } from "../engine/dropped.js";
import type { StartedSave } from "../engine/session.js";
import { requireGlobal } from "../globals.js";
import type { OwnBytes } from "../web-types.js";
import type { Channel } from "./channel.js";

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

export class RemoteSave implements StartedSave {
  readonly #channel: Channel;
  readonly #save: number;
  /** Ends the save in the worker. */
  readonly #end: () => void;

  constructor(channel: Channel, save: number) {
    this.#channel = channel;
    this.#save = save;
    this.#end = () => channel.notify({ name: "endSave", save });
  }

  async bytes(signal: AbortSignal | undefined): Promise<OwnBytes> {
    try {
      signal?.throwIfAborted();
      const call = { name: "saveBytes", save: this.#save } as const;
      return (await this.#channel.call(call, { signal })) as OwnBytes;
    } finally {
      this.#end();
    }
  }

  stream(): ReadableStream<Uint8Array> {
    const Stream = requireGlobal("ReadableStream") as unknown as StreamClass;
    const [channel, end] = [this.#channel, this.#end];
    const call = { name: "savePiece", save: this.#save } as const;
    const pull = async (controller: StreamController): Promise<void> => {
      const piece = (await channel.call(call)) as Uint8Array | undefined;
      if (piece !== undefined) controller.enqueue(piece);
      else {
        controller.close();
        end();
      }
    };
    const stream = new Stream({ pull, cancel: end }, { highWaterMark: 0 });
    endWhenDropped(stream, end);
    return stream;
  }
}
