/**
 * The rules for checkpoints: the last two good ones and that of the last stable step are kept, and
 * the newest good one is loaded.
 */
import { PlmError } from "../../errors.js";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "./checkpoint.js";
import type { TrainingConfig } from "./config.js";
import { lastStableStep } from "./schedule.js";

/** Where checkpoints are kept; one run at a time. */
export interface CheckpointStore {
  /** Names of the complete files; none if the place does not exist yet. */
  list(): Promise<string[]>;
  /** The bytes of a file. Throws UNREADABLE_FILE. */
  read(name: string): Promise<Uint8Array>;
  /**
   * Writes a file atomically, even if the power fails, replacing one of that name. Throws
   * UNWRITABLE_FILE; then either the old file or the complete new one is there.
   */
  writeAtomically(name: string, pieces: Iterable<Uint8Array>): Promise<void>;
  /** Removes a file, if it exists. */
  remove(name: string): Promise<void>;
}

/** A checkpoint that was skipped because it is damaged or cannot be read. */
export interface Damage {
  readonly name: string;
  readonly error: PlmError;
}

/** The checkpoint that a run resumes from. */
export interface Resumed {
  readonly checkpoint: Checkpoint;
  readonly name: string;
  /** Newer ones that are damaged. */
  readonly damaged: readonly Damage[];
}

const NAME = /^step-(\d{1,15})\.checkpoint$/;

/** The name of a step's checkpoint. */
export function checkpointName(step: number): string {
  return `step-${String(step).padStart(9, "0")}.checkpoint`;
}

/** Checkpoints of one run in one store. */
export class Checkpoints {
  readonly #store: CheckpointStore;
  readonly #config: TrainingConfig;
  /** Names of good checkpoints, loaded or written by this run, oldest first. */
  #good: string[] = [];

  constructor(store: CheckpointStore, config: TrainingConfig) {
    this.#store = store;
    this.#config = config;
  }

  /**
   * The newest good checkpoint, or undefined without checkpoints. Throws INVALID_FILE if all are
   * damaged, UNSUPPORTED_FILE and INVALID_CONFIG as `decodeCheckpoint`.
   */
  async load(): Promise<Resumed | undefined> {
    const damaged: Damage[] = [];
    for (const name of (await this.#names()).reverse()) {
      try {
        const checkpoint = decodeCheckpoint(await this.#store.read(name), this.#config);
        this.#good = [name];
        return { checkpoint, name, damaged };
      } catch (cause) {
        const error = PlmError.from(cause);
        if (error === undefined) throw cause;
        const told = new PlmError(error.code, `${name}: ${error.message}`, { cause });
        if (!["INVALID_FILE", "UNREADABLE_FILE"].includes(error.code)) throw told;
        damaged.push({ name, error: told });
      }
    }
    if (damaged.length === 0) return undefined;
    const reasons = damaged.map(({ error }) => error.message).join("; ");
    throw new PlmError("INVALID_FILE", `no checkpoint is whole: ${reasons}`);
  }

  /**
   * Writes a checkpoint, then removes all except that of the last stable step and the last two good
   * ones; with fewer than two good ones it removes none. Throws UNWRITABLE_FILE, and then keeps the
   * earlier ones.
   */
  async save(checkpoint: Checkpoint): Promise<string> {
    const name = checkpointName(checkpoint.step);
    await this.#store.writeAtomically(name, encodeCheckpoint(checkpoint, this.#config));
    this.#good = [...this.#good.filter((known) => known !== name), name].slice(-2);
    if (this.#good.length < 2) return name;
    const stays = [...this.#good, checkpointName(lastStableStep(this.#config.schedule))];
    for (const old of await this.#names()) {
      if (!stays.includes(old)) await this.#store.remove(old);
    }
    return name;
  }

  /** Names of checkpoints, by step. */
  async #names(): Promise<string[]> {
    const stepOf = (name: string): number => Number(NAME.exec(name)?.[1] ?? Number.NaN);
    const names = (await this.#store.list()).filter((name) => NAME.test(name));
    return names.sort((a, b) => stepOf(a) - stepOf(b));
  }
}
