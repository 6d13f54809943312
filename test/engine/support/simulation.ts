/**
 * Sequences that come and go in simulated time: the real scheduler and the real pages, and in place
 * of the model a rule for how long a forward pass takes.
 */
import * as assert from "uvu/assert";
import { PagePool } from "../../../src/cache/pages.js";
import { PrefixTree } from "../../../src/cache/prefix-tree.js";
import { CacheSequence } from "../../../src/cache/sequence.js";
import type { ResolvedEvaluation } from "../../../src/engine/evaluation.js";
import { type Piece, Request } from "../../../src/engine/request.js";
import { CacheRoom } from "../../../src/engine/room.js";
import type { SchedulerLimits } from "../../../src/engine/scheduler.js";
import { Sequence } from "../../../src/engine/sequence.js";
import { Turns } from "../../../src/engine/turns.js";
import { PAGE_ROWS } from "../../../src/kernels/packed.js";
import { planEngine } from "../../model/support/engine.js";
import { tinyModel } from "../../model/support/tiny.js";
import { seededRandom } from "../../support/random.js";

const { config } = await planEngine(tinyModel());
const LAYERS = 2;
/** What reading the clock takes. */
const READING_MS = 0.25;
/** Turns of the event loop without a forward pass in which the time stands still. */
const PATIENCE = 3;

/** The cache's room, which watches who is put back for whom. */
class WatchedRoom extends CacheRoom {
  #taker: Request | undefined;

  override reserve(job: Request, n: number): boolean {
    this.#taker = job;
    return super.reserve(job, n);
  }

  override putBack(job: Request): void {
    assert.ok(job.age > this.#taker!.age, "an older one is put back");
    super.putBack(job);
  }
}

/** A machine and its limits. */
export interface SimulationOptions extends SchedulerLimits {
  /** Rows that the cache has room for. */
  readonly cacheTokens: number;
  readonly prefixCache: boolean;
  /** Milliseconds of a forward pass, and of each row in it beyond the first of a sequence. */
  readonly passMs: number;
  readonly rowMs: number;
}

/** A conversation: prompts, each followed by steps of one token. */
export interface Text {
  readonly arrivalMs: number;
  readonly prompts: readonly ArrayLike<number>[];
  readonly steps: number;
  /** What its reader takes for a token on average, and before the next prompt. */
  readonly readerMs: number;
  readonly pauseMs: number;
}

/** A text in the simulation. */
export interface Life {
  readonly text: Text;
  readonly sequence: Sequence;
  /** Its evaluation, while it waits. */
  request: Request | undefined;
  /** How long it waited for each prompt. */
  readonly waits: number[];
  cachedTokens: number;
}

/** A forward pass. */
export interface Turn {
  readonly ms: number;
  /** Those that wait for rows. */
  readonly waiting: readonly Waiting[];
  readonly rows: number;
}

export interface Waiting {
  readonly life: Life;
  readonly isAdmitted: boolean;
  /** Rows that it has in the cache, and those that it waits for. */
  readonly length: number;
  readonly left: number;
  /** Rows in this pass; 0 if it waited. */
  readonly n: number;
}

export class Simulation {
  readonly lives: readonly Life[];
  readonly turns: Turn[] = [];
  readonly pool: PagePool;
  readonly #options: SimulationOptions;
  readonly #room: WatchedRoom;
  readonly #turns: Turns;
  #nowMs = 0;
  /** Who waits for which time. */
  #alarms: { readonly ms: number; readonly ring: () => void }[] = [];

  constructor(texts: readonly Text[], options: SimulationOptions) {
    this.#options = options;
    const count = LAYERS * Math.ceil(options.cacheTokens / PAGE_ROWS);
    const memory = new WebAssembly.Memory({ initial: Math.ceil((count * PAGE_ROWS) / 65536) });
    this.pool = new PagePool(memory, { ptr: 0, pageBytes: PAGE_ROWS, count });
    const tree = options.prefixCache ? new PrefixTree(this.pool) : undefined;
    this.#room = new WatchedRoom(this.pool, tree);
    const engine = { evaluate: async (pieces: readonly Piece[]) => this.#pass(pieces) };
    const clock = {
      now: () => {
        this.#nowMs += READING_MS;
        return this.#nowMs;
      },
      // Timers count whole milliseconds, and may ring early.
      after: (ms: number, ring: () => void) => {
        this.#at(this.#nowMs + Math.floor(ms), ring);
        return () => undefined;
      },
    };
    this.#turns = new Turns(engine, this.#room, options, clock);
    this.lives = texts.map((text) => ({
      ...{ text, sequence: new Sequence(new CacheSequence(this.pool, LAYERS)) },
      ...{ request: undefined, waits: [], cachedTokens: 0 },
    }));
  }

  /** Rows that were evaluated, again or not. */
  get rows(): number {
    return this.turns.reduce((sum, { rows }) => sum + rows, 0);
  }

  /** Lives all lives to their ends. */
  async run(): Promise<void> {
    let left = this.lives.length;
    const ends = this.lives.map((life) => this.#live(life).finally(() => left--));
    for (let idle = 0, turns = 0; left > 0; idle++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (turns < this.turns.length) [idle, turns] = [0, this.turns.length];
      if (idle < PATIENCE || this.#alarms.length === 0) continue;
      this.#advance(this.#alarms[0].ms);
      idle = 0;
    }
    await Promise.all(ends);
    assert.is(this.pool.used, 0);
  }

  async #live(life: Life): Promise<void> {
    const { text, sequence } = life;
    const random = seededRandom(text.steps);
    await this.#until(text.arrivalMs);
    this.#room.add(sequence);
    for (const [i, prompt] of text.prompts.entries()) {
      if (i > 0) await this.#until(this.#nowMs + text.pauseMs);
      const sinceMs = this.#nowMs;
      await this.#evaluate(life, Uint32Array.from(prompt));
      life.waits.push(this.#nowMs - sinceMs);
      life.cachedTokens += life.request!.cachedTokens;
      for (let step = 0; step < text.steps; step++) {
        const readerMs = 2 * random() * text.readerMs;
        if (readerMs > 0) await this.#until(this.#nowMs + readerMs);
        await this.#evaluate(life, Uint32Array.of(step));
      }
    }
    this.#room.dispose(sequence);
  }

  async #evaluate(life: Life, tokens: Uint32Array): Promise<void> {
    const { sequence } = life;
    const evaluation: ResolvedEvaluation = {
      ...{ kind: "logits", choice: "last", width: 0, out: new Float32Array(0) },
      phase: tokens.length > 1 ? "prefill" : "decode",
      ...{ step: this.#options.batchSize, signal: undefined },
    };
    const request = new Request(sequence, tokens, evaluation, { attention: "absorbed", config });
    life.request = request;
    await this.#turns.evaluate(request);
  }

  /** A forward pass. */
  #pass(pieces: readonly Piece[]): number {
    const { passMs, rowMs } = this.#options;
    const rowsOf = new Map(pieces.map(({ sequence, tokens }) => [sequence, tokens.length]));
    const waiting = this.lives
      .filter(({ sequence }) => sequence.isBusy)
      .map((life) => {
        const n = rowsOf.get(life.sequence.cache) ?? 0;
        const { isAdmitted, cache } = life.sequence;
        return { life, isAdmitted, length: cache.length, left: life.request!.left, n };
      });
    let rows = 0;
    for (const { tokens } of pieces) rows += tokens.length;
    const ms = passMs + rowMs * (rows - pieces.length);
    this.turns.push({ ms, waiting, rows });
    this.#advance(this.#nowMs + ms);
    return ms;
  }

  #until(ms: number): Promise<void> {
    return new Promise((ring) => this.#at(ms, ring));
  }

  #at(ms: number, ring: () => void): void {
    this.#alarms.push({ ms, ring });
    this.#alarms.sort((a, b) => a.ms - b.ms);
  }

  /** Lets the time be at least `ms`. */
  #advance(ms: number): void {
    this.#nowMs = Math.max(this.#nowMs, ms);
    while (this.#alarms.length > 0 && this.#alarms[0].ms <= this.#nowMs)
      this.#alarms.shift()!.ring();
  }
}
