/** The save of a session whose engine runs in a worker. */
import { streamOf } from "../engine/piece-stream.js";
import type { StartedSave } from "../engine/session.js";
import type { OwnBytes } from "../web-types.js";
import type { Channel } from "./channel.js";

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
    const [channel, save] = [this.#channel, this.#save];
    const call = { name: "savePiece", save } as const;
    // Through `this`, a stream in use keeps the model.
    const next = async (): Promise<Uint8Array | undefined> =>
      (await this.#channel.call(call)) as Uint8Array | undefined;
    return streamOf(next, () => channel.notify({ name: "endSave", save }));
  }

  end(): void {
    this.#channel.notify({ name: "endSave", save: this.#save });
  }
}
