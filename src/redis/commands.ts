/** Commands to Redis, each in its time, and what their failures are to callers. */
import { abortable } from "../abortable.js";
import { inTime } from "../clock.js";
import { PlmError, reasonOf } from "../errors.js";
import { requireGlobal } from "../globals.js";
import type { ResolvedRedisOptions } from "./options.js";

/** What a command is sent with. */
export type Argument = string | number | Uint8Array;

export class Commands {
  readonly #options: Pick<ResolvedRedisOptions, "redis" | "timeoutMs">;

  constructor(options: Pick<ResolvedRedisOptions, "redis" | "timeoutMs">) {
    this.#options = options;
  }

  /**
   * Sends a command. Rejects with STORE_FULL where Redis has no memory for it, STORE_UNAVAILABLE
   * where it fails or takes too long, and with the signal's reason.
   */
  async send(
    command: string,
    args: readonly Argument[],
    signal?: AbortSignal,
  ): Promise<Uint8Array | readonly unknown[] | number | null> {
    const { redis, timeoutMs } = this.#options;
    signal?.throwIfAborted();
    const sent = redis.callBuffer(command, ...args.map(toSent));
    const answer = inTime(sent, timeoutMs).catch((cause: unknown) => {
      throw failureOf(cause);
    });
    return (await abortable(answer, signal)) as Uint8Array | readonly unknown[] | number | null;
  }

  /** Runs a script; its answer as text. Rejects as `send`. */
  async run(
    script: string,
    keys: readonly string[],
    args: readonly Argument[],
    signal?: AbortSignal,
  ): Promise<string> {
    return textOf(await this.send("EVAL", [script, keys.length, ...keys, ...args], signal));
  }
}

/** A text that Redis answers. */
export function textOf(answer: unknown): string {
  if (!ArrayBuffer.isView(answer)) return String(answer);
  return new (requireGlobal("TextDecoder"))().decode(answer);
}

/** ioredis sends views other than Buffers as their texts. */
function toSent(value: Argument): Argument {
  if (typeof value !== "object") return value;
  const { buffer, byteOffset, byteLength } = value;
  return requireGlobal("Buffer").from(buffer, byteOffset, byteLength);
}

function failureOf(cause: unknown): PlmError {
  const reason = reasonOf(cause);
  if (reason.startsWith("OOM")) {
    const message = "redis: expected memory for a session, Redis has reached its maxmemory";
    return new PlmError("STORE_FULL", message, { cause });
  }
  return new PlmError("STORE_UNAVAILABLE", `redis: expected an answer, got: ${reason}`, { cause });
}
