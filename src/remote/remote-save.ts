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
  /** The model, which is not dropped before. */
  readonly owner: object;

  constructor(channel: Channel, save: number, owner: object) {
    this.#channel = channel;
    this.#save = save;
    this.owner = owner;
  }

  async bytes(signal: AbortSignal | undefined): Promise<OwnBytes> {
    try {
      const call = { name: "saveBytes", save: this.#save } as const;
      return (await this.#channel.call(call, { signal })) as OwnBytes;
    } finally {
      this.end();
    }
  }

  stream(): ReadableStream<Uint8Array> {
    const Stream = requireGlobal("ReadableStream") as unknown as StreamClass;
    const pull = async (controller: StreamController): Promise<void> => {
      const piece = await this.#nextPiece();
      if (piece !== undefined) controller.enqueue(piece);
      else controller.close();
    };
    const stream = new Stream({ pull, cancel: () => this.end() }, { highWaterMark: 0 });
    const [channel, save] = [this.#channel, this.#save];
    endWhenDropped(stream, () => channel.notify({ name: "endSave", save }));
    return stream;
  }

  end(): void {
    this.#channel.notify({ name: "endSave", save: this.#save });
  }

  /** Undefined at the end. */
  async #nextPiece(): Promise<Uint8Array | undefined> {
    let piece: Uint8Array | undefined;
    try {
      const call = { name: "savePiece", save: this.#save } as const;
      piece = (await this.#channel.call(call)) as Uint8Array | undefined;
      return piece;
    } finally {
      if (piece === undefined) this.end();
    }
  }
}
