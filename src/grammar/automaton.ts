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
  /** Where a text goes on that has returned to this frame. */
  returned: Configuration | undefined;
}

/** All stacks that a text may have led to. */
export interface Configuration {
  /** The tops that wait for a byte. */
  readonly frames: readonly Frame[];
  /** Whether the text may end here. */
  readonly ends: boolean;
  /** The configuration after each byte; null if none can come, undefined before it is known. */
  readonly next: (Configuration | null | undefined)[];
  /** Made and kept by those who compute masks. */
  mask: Uint32Array | undefined;
}

/** Stacks of one configuration. */
const MOST_STACKS = 4096;

/** Frames and configurations to keep. */
const MOST_FRAMES = 400_000;
const MOST_CONFIGURATIONS = 20_000;

export class Automaton {
  /** The configuration of the empty text. */
  readonly start: Configuration;
  readonly table: RuleTable;
  #frames = 0;
  readonly #known = new Map<string, Configuration>();

  /** Throws INVALID_ARGUMENT as RuleTable does. */
  constructor(grammar: Grammar) {
    this.table = new RuleTable(grammar);
    this.start = this.#closed([this.frame(this.table.start, this.newBottom())])!;
  }

  /** The frame of a state on top of another. */
  frame(state: number, parent: Frame): Frame {
    let frame = parent.above.get(state);
    if (frame === undefined) {
      frame = createFrame(state, parent, ++this.#frames);
      parent.above.set(state, frame);
    }
    return frame;
  }

  /** A bottom of its own, for stacks of which only the top is known. */
  newBottom(): Frame {
    return createFrame(-1, undefined, ++this.#frames);
  }

  /** The configuration of frames that wait for a byte, and of nothing that they return to. */
  configurationOf(frames: readonly Frame[]): Configuration {
    return this.#intern(frames, false);
  }

  /** Where a text goes on that has returned to a frame. */
  returnedTo(frame: Frame): Configuration {
    frame.returned ??= this.#closed([frame])!;
    return frame.returned;
  }

  /** The configuration after a byte; null if none can come. Throws for too many stacks. */
  step(from: Configuration, byte: number): Configuration | null {
    const known = from.next[byte];
    if (known !== undefined) return known;
    const targets: Frame[] = [];
    for (const { state, parent } of from.frames) {
      const edge = this.table
        .at(state)
        .bytes.find(({ from: low, to }) => low <= byte && byte <= to);
      if (edge !== undefined) targets.push(this.frame(edge.target, parent!));
    }
    const to = this.#closed(targets);
    from.next[byte] = to;
    return to;
  }

  /** Whether it keeps so much that another should take its place, for new texts. */
  get isLarge(): boolean {
    return this.#frames >= MOST_FRAMES || this.#known.size >= MOST_CONFIGURATIONS;
  }

  /** The frames that are reached without a byte: by calls, and by ends of rules. */
  #closed(from: readonly Frame[]): Configuration | null {
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
    return waiting.length === 0 && !ends ? null : this.#intern(waiting, ends);
  }

  #intern(frames: readonly Frame[], ends: boolean): Configuration {
    const sorted = [...frames].sort((a, b) => a.id - b.id);
    const key = `${ends ? "." : ""}${sorted.map(({ id }) => id).join()}`;
    let known = this.#known.get(key);
    if (known === undefined) {
      known = { frames: sorted, ends, next: new Array(256), mask: undefined };
      this.#known.set(key, known);
    }
    return known;
  }
}

function createFrame(state: number, parent: Frame | undefined, id: number): Frame {
  return { state, parent, id, above: new Map(), returned: undefined };
}
