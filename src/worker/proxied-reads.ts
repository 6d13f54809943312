/** Sources that a program has opened and that its worker reads by messages. */
import { abortable } from "../abortable.js";
import type { ByteSource } from "../format/byte-source.js";
import type { FromWorker, ToWorker } from "../remote/protocol.js";
import { receiveError } from "../remote/sent-error.js";
import type { OpenedSource } from "../remote/sent-source.js";

/** The longest read: its bytes are in memory twice. */
const READ_BYTES = 4 << 20;

type Answer = Extract<ToWorker, { readonly read: number }>;

interface Waiting {
  resolve(answer: Extract<Answer, { readonly bytes: Uint8Array }>): void;
  reject(reason: unknown): void;
}

export class ProxiedReads {
  readonly #ask: (message: FromWorker) => void;
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;

  /** `ask` sends a request to the program, whose answer comes to `receive`. */
  constructor(ask: (message: FromWorker) => void) {
    this.#ask = ask;
  }

  /** A source of the call with that id. The program closes it. */
  source(call: number, { index, name, size, sequential, isRemote }: OpenedSource): ByteSource {
    let knownSize = size;
    const read = async (
      offset: number,
      target: Uint8Array,
      signal?: AbortSignal,
    ): Promise<number> => {
      let done = 0;
      while (done < target.length) {
        signal?.throwIfAborted();
        const length = Math.min(READ_BYTES, target.length - done);
        const request = { call, source: index, offset: offset + done, length };
        // The caller's source may not look at its signal.
        const answer = await abortable(this.#read(request), signal);
        knownSize = answer.size;
        target.set(answer.bytes, done);
        done += answer.bytes.length;
        if (answer.bytes.length < length) break;
      }
      return done;
    };
    return {
      ...{ name, sequential, isRemote, read, close: async () => undefined },
      get size() {
        return knownSize;
      },
    };
  }

  receive(answer: Answer): void {
    const waiting = this.#waiting.get(answer.read);
    this.#waiting.delete(answer.read);
    if ("error" in answer) waiting?.reject(receiveError(answer.error));
    else waiting?.resolve(answer);
  }

  /** Rejects what waits. */
  end(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error("the model is over"));
    this.#waiting.clear();
  }

  #read(request: { call: number; source: number; offset: number; length: number }) {
    return new Promise<Extract<Answer, { readonly bytes: Uint8Array }>>((resolve, reject) => {
      const read = this.#count++;
      this.#waiting.set(read, { resolve, reject });
      this.#ask({ read, ...request });
    });
  }
}
