/** Small checkpoints, and a store of them in memory. */
import { PlmError } from "../../../src/errors.js";
import type { Checkpoint } from "../../../src/training/run/checkpoint.js";
import type { CheckpointStore } from "../../../src/training/run/checkpoints.js";
import { joined } from "../../support/joined.js";

/** The checkpoint of a step; its tensors tell the step. */
export function smallCheckpoint(step: number): Checkpoint {
  const reading = { epoch: 1, stretch: 2, offset: 3, fingerprint: 0xdeadbeef };
  return {
    ...{ step, tokens: step * 256, best: { loss: 2.5, fingerprint: 7, stride: 16 } },
    stream: { mix: { stories: 1 }, served: { stories: 17 }, readings: { stories: reading } },
    tensors: new Map([
      ["parameters", Float32Array.from({ length: 101 }, (_, i) => Math.sin(step + i))],
      ["m", Float32Array.of(step, -0.5)],
      ["v", new Float32Array(0)],
    ]),
  };
}

/** A store whose files tests may damage; `full` makes writes fail. */
export class MemoryStore implements CheckpointStore {
  readonly files: Map<string, Uint8Array> = new Map();
  full = false;

  async list(): Promise<string[]> {
    return [...this.files.keys()];
  }

  async read(name: string): Promise<Uint8Array> {
    const bytes = this.files.get(name);
    if (bytes === undefined) throw new PlmError("UNREADABLE_FILE", `${name}: not there`);
    return bytes;
  }

  async writeAtomically(name: string, pieces: Iterable<Uint8Array>): Promise<void> {
    if (this.full) throw new PlmError("UNWRITABLE_FILE", `${name}: no space`);
    this.files.set(name, joined(pieces));
  }

  async remove(name: string): Promise<void> {
    this.files.delete(name);
  }
}
