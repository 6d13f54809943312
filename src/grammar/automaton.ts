/**
 * A pushdown automaton over bytes. A configuration is the set of all stacks that a text may have
 * led to; configurations, and the steps between them, are made when they are needed and kept.
 */
import type { Grammar } from "./expression.js";
import { tooLarge } from "./limits.js";
import { RuleTable } from "./rule-table.js";

/** The top of a stack: a state, above the frame that its rule returns to. */
export interface Frame {
  readonly state: number;
  /** Undefined at the bottom, which stands for the end of everything. */
  readonly parent: Frame | undefined;
  readonly id: number;
  /** The frames on top of this one, by state. */
  readonly above: Map<number, Frame>;
}

/** All stacks that a text may have led to. */
export interface Configuration {
  /** Its place in the tables of the automaton. */
  readonly id: number;
  /** The tops that wait for a byte. */
  readonly frames: readonly Frame[];
  /** Whether the text may end here. */
  readonly ends: boolean;
}

/** No configuration: a byte that cannot come. */
export const DEAD: number = -1;

/** A step that is not known yet. */
export const UNKNOWN: number = -2;

/** Stacks of one configuration. */
const MOST_STACKS = 4096;

/** Frames and configurations to keep. */
const MOST_FRAMES = 400_000;
const MOST_CONFIGURATIONS = 8_000;

export class Automaton {
  /** The configuration of the empty text. */
  readonly start: Configuration;
  readonly table: RuleTable;
  /** i32[configurations, 256]: the configuration after each byte, DEAD or UNKNOWN. It may grow. */
  steps: Int32Array = new Int32Array(64 * 256).fill(UNKNOWN);
  /** u8[configurations]: 1 where the text may end. It may grow. */
  ends: Uint8Array = new Uint8Array(64);
  /** By id. */
  readonly configurations: Configuration[] = [];
  #frames = 0;
  readonly #known = new Map<string, Configuration>();
  readonly #returned = new Map<Frame, Configuration>();

  /** Throws INVALID_ARGUMENT as RuleTable does. */
  constructor(grammar: Grammar) {
    this.table = new RuleTable(grammar);
    this.start = this.#closed([this.frame(this.table.start, this.newBottom())])!;
  }

  /** The frame of a state on top of another. */
  frame(state: number, parent: Frame): Frame {
    let frame = parent.above.get(state);
    if (frame === undefined) {
      frame = { state, parent, id: ++this.#frames, above: new Map() };
      parent.above.set(state, frame);
    }
    return frame;
  }

  /** A bottom of its own, for stacks of which only the top is known. */
  newBottom(): Frame {
    return { state: -1, parent: undefined, id: ++this.#frames, above: new Map() };
  }

  /** The configuration of frames that wait for a byte, and of nothing that they return to. */
  configurationOf(frames: readonly Frame[]): Configuration {
    return this.#intern(frames, false);
  }

  /** Where a text goes on that has returned to a frame. */
  returnedTo(frame: Frame): Configuration {
    let configuration = this.#returned.get(frame);
    if (configuration === undefined) {
      configuration = this.#closed([frame])!;
      this.#returned.set(frame, configuration);
    }
    return configuration;
  }

  /** The configuration after a byte, by id; DEAD if none can come. Throws for too many stacks. */
  step(from: number, byte: number): number {
    const known = this.steps[from * 256 + byte];
    if (known !== UNKNOWN) return known;
    const targets: Frame[] = [];
    for (const { state, parent } of this.configurations[from].frames) {
      const edge = this.table
        .at(state)
        .bytes.find(({ from: low, to }) => low <= byte && byte <= to);
      if (edge !== undefined) targets.push(this.frame(edge.target, parent!));
    }
    const to = this.#closed(targets)?.id ?? DEAD;
    this.steps[from * 256 + byte] = to;
    return to;
  }

  /** Whether it keeps so much that another should take its place, for new texts. */
  get isLarge(): boolean {
    return this.#frames >= MOST_FRAMES || this.configurations.length >= MOST_CONFIGURATIONS;
  }

  /** The frames that are reached without a byte: by calls, and by ends of rules. */
  #closed(from: readonly Frame[]): Configuration | undefined {
    const seen = new Set(from);
    const waiting: Frame[] = [];
    let ends = false;
    for (const frame of seen) {
      const { state, parent } = frame;
      if (parent === undefined) {
        ends = true;
        continue;
      }
      const { bytes, calls, isFinal } = this.table.at(state);
      if (isFinal) seen.add(parent);
      for (const { start, target, isTail } of calls) {
        seen.add(this.frame(start, isTail ? parent : this.frame(target, parent)));
      }
      if (bytes.length > 0) waiting.push(frame);
      if (seen.size > MOST_STACKS) throw tooLarge(`more than ${MOST_STACKS} ways to read a text`);
    }
    return waiting.length === 0 && !ends ? undefined : this.#intern(waiting, ends);
  }

  #intern(frames: readonly Frame[], ends: boolean): Configuration {
    const sorted = [...frames].sort((a, b) => a.id - b.id);
    const key = `${ends ? "." : ""}${sorted.map(({ id }) => id).join()}`;
    let known = this.#known.get(key);
    if (known === undefined) {
      known = { id: this.configurations.length, frames: sorted, ends };
      this.#known.set(key, known);
      this.#add(known);
    }
    return known;
  }

  #add(configuration: Configuration): void {
    const { id, ends } = configuration;
    if (id === this.ends.length) {
      const steps = new Int32Array(2 * this.steps.length).fill(UNKNOWN);
      steps.set(this.steps);
      this.steps = steps;
      const allEnds = new Uint8Array(2 * id);
      allEnds.set(this.ends);
      this.ends = allEnds;
    }
    this.ends[id] = ends ? 1 : 0;
    this.configurations.push(configuration);
  }
}
