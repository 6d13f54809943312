/** Whose turn a session is: a key with a token that ends by itself unless it is prolonged. */
import { abortable } from "../abortable.js";
import { clock } from "../clock.js";
import { PlmError, quote } from "../errors.js";
import { requireGlobal } from "../globals.js";
import type { Commands } from "./commands.js";
import { PROLONG, RELEASE } from "./scripts.js";

/** A session's keys; in a cluster they are on one machine. */
export interface SessionKeys {
  readonly id: string;
  readonly session: string;
  readonly lock: string;
}

/** How long to wait before the lock is tried again, at first and at most. */
const FIRST_WAIT_MS = 10;
const MOST_WAIT_MS = 250;

/** The error of a turn that is not, or no longer, this process's. */
export function busy({ id }: SessionKeys, got: string): PlmError {
  return new PlmError("SESSION_BUSY", `session ${quote(id)}: expected one turn at a time, ${got}`);
}

export class Lock {
  readonly keys: SessionKeys;
  readonly token: string;
  readonly #commands: Commands;
  readonly #lockMs: number;
  #isOver = false;
  #stop: () => void = () => undefined;

  private constructor(commands: Commands, keys: SessionKeys, lockMs: number) {
    this.#commands = commands;
    this.keys = keys;
    this.#lockMs = lockMs;
    this.token = requireGlobal("crypto").randomUUID();
  }

  /** Takes the lock, once it is free. Rejects with SESSION_BUSY after `waitMs`. */
  static async take(
    commands: Commands,
    keys: SessionKeys,
    { lockMs, waitMs, signal }: { lockMs: number; waitMs: number; signal: AbortSignal | undefined },
  ): Promise<Lock> {
    const lock = new Lock(commands, keys, lockMs);
    const endMs = clock.now() + waitMs;
    try {
      for (
        let ms = FIRST_WAIT_MS;
        !(await lock.#try(signal));
        ms = Math.min(2 * ms, MOST_WAIT_MS)
      ) {
        if (clock.now() + ms > endMs) throw busy(keys, `another lasts for over ${waitMs} ms`);
        await pause(ms, signal);
      }
    } catch (error) {
      // It may have been taken all the same. A Redis that does not answer is not waited for again.
      void lock.release();
      throw error;
    }
    lock.#keep();
    return lock;
  }

  /** Gives the lock back; one that Redis is not told of ends by itself. */
  async release(): Promise<void> {
    this.#isOver = true;
    this.#stop();
    const { session, lock } = this.keys;
    await this.#commands.run(RELEASE, [session, lock], [this.token]).catch(() => undefined);
  }

  async #try(signal: AbortSignal | undefined): Promise<boolean> {
    const args = [this.keys.lock, this.token, "PX", this.#lockMs, "NX"];
    return (await this.#commands.send("SET", args, signal)) !== null;
  }

  /** Prolongs it from time to time. Whether it is lost shows when something is written. */
  #keep(): void {
    const { session, lock } = this.keys;
    this.#stop = clock.after(this.#lockMs / 3, () => {
      const prolonged = this.#commands.run(PROLONG, [session, lock], [this.token, this.#lockMs]);
      void prolonged.catch(() => undefined).then(() => !this.#isOver && this.#keep());
    });
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  let cancel: () => void = () => undefined;
  const timer = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  try {
    await abortable(timer, signal);
  } finally {
    cancel();
  }
}
