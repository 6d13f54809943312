/** What the pieces of a pass request, in the order in which it is computed. */
import { type Output, PHASES } from "../model/batch.js";
import type { Receive } from "../model/plm.js";
import type { Piece } from "./request.js";

interface Requested {
  readonly output: Output;
  readonly target: Float32Array;
  readonly piece: Piece;
}

export class RequestedOutputs {
  /** Those that are computed together are adjacent. */
  readonly outputs: readonly Output[];
  readonly #requested: readonly Requested[];

  /** Of pieces in the order of the batch. */
  constructor(pieces: readonly Piece[]) {
    const requested: Requested[] = [];
    let n = 0;
    for (const piece of pieces) {
      piece.outputs.forEach((output, i) => {
        const target = piece.targets[i];
        requested.push({ output: { ...output, row: n + output.row }, target, piece });
      });
      n += piece.tokens.length;
    }
    requested.sort((a, b) => rank(a.output) - rank(b.output));
    this.#requested = requested;
    this.outputs = requested.map(({ output }) => output);
  }

  /** Fills in what is still wanted, from the model's memory. */
  receiveFrom(memory: WebAssembly.Memory): Receive {
    return (first, count, ptr, stride) => {
      for (let i = 0; i < count; i++) {
        const { target, piece } = this.#requested[first + i];
        if (!piece.isWanted()) continue;
        target.set(new Float32Array(memory.buffer, ptr + i * stride * 4, target.length));
      }
    };
  }
}

function rank({ kind, phase }: Output): number {
  return (kind === "logits" ? 0 : 1) * PHASES.length + PHASES.indexOf(phase);
}
