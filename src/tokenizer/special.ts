/**
 * Finds special tokens in text: from left to right, the longest wherever one begins. An
 * Aho-Corasick automaton over the reversed tokens reads the text backwards, so that the cost of a
 * place does not depend on the tokens.
 */
import { PlmError } from "../errors.js";

/** The most UTF-16 units of all tokens: each may become a state of some hundred bytes. */
const MOST_UNITS = 1 << 18;

/** A special token in a text: UTF-16 units `start` to `end`. */
export interface SpecialMatch {
  id: number;
  start: number;
  end: number;
}

/** A set of special tokens, ready to be searched for. */
export class SpecialTokens {
  /** Next state by state * 2^16 + unit. In state 0, nothing read could end a token. */
  #next = new Map<number, number>();
  /** State of the longest suffix that also begins a reversed token. */
  #fallback: number[] = [0];
  /** The longest token that begins where the state is reached, -1 for none. */
  #id: number[] = [-1];
  #lengths = new Map<number, number>();
  /** 1 at the low byte of each unit that ends a token: most units keep state 0. */
  #isLast: Uint8Array = new Uint8Array(256);

  /**
   * `tokens` are texts by id; empty ones are left out, and of equal ones the first counts. Throws
   * UNSUPPORTED_FILE for more than 2^18 UTF-16 units in all.
   */
  constructor(tokens: Iterable<[id: number, text: string]>) {
    let units = 0;
    for (const [id, text] of tokens) {
      units += text.length;
      if (units > MOST_UNITS) {
        const expected = `at most ${MOST_UNITS} characters of special tokens`;
        throw new PlmError("UNSUPPORTED_FILE", `tokenizer: expected ${expected}, got more`);
      }
      this.#insert(id, text);
    }
    this.#link();
  }

  /** All matches in order; they do not overlap. */
  match(text: string): SpecialMatch[] {
    if (this.#lengths.size === 0) return [];
    const backwards: SpecialMatch[] = [];
    let state = 0;
    for (let start = text.length - 1; start >= 0; start--) {
      const unit = text.charCodeAt(start);
      if (state === 0 && this.#isLast[unit & 255] === 0) continue;
      state = this.#step(state, unit);
      const id = this.#id[state];
      if (id >= 0) backwards.push({ id, start, end: start + this.#lengths.get(id)! });
    }
    const matches: SpecialMatch[] = [];
    let end = 0;
    for (let i = backwards.length - 1; i >= 0; i--) {
      if (backwards[i].start < end) continue;
      matches.push(backwards[i]);
      end = backwards[i].end;
    }
    return matches;
  }

  #step(state: number, unit: number): number {
    for (;;) {
      const next = this.#next.get(state * 65536 + unit);
      if (next !== undefined) return next;
      if (state === 0) return 0;
      state = this.#fallback[state];
    }
  }

  #insert(id: number, text: string): void {
    let state = 0;
    for (let i = text.length - 1; i >= 0; i--) {
      const edge = state * 65536 + text.charCodeAt(i);
      let next = this.#next.get(edge);
      if (next === undefined) {
        next = this.#id.length;
        this.#next.set(edge, next);
        this.#id.push(-1);
        this.#fallback.push(0);
      }
      state = next;
    }
    if (state === 0 || this.#id[state] >= 0) return;
    this.#id[state] = id;
    this.#isLast[text.charCodeAt(text.length - 1) & 255] = 1;
    this.#lengths.set(id, text.length);
  }

  /** Sets the fallbacks, states nearer to the start first. */
  #link(): void {
    const edges: [from: number, unit: number, to: number][] = [];
    for (const [edge, to] of this.#next) edges.push([Math.floor(edge / 65536), edge % 65536, to]);
    const depth = new Int32Array(this.#id.length);
    // A state has a higher number than the state that leads to it.
    for (const [from, , to] of edges) depth[to] = depth[from] + 1;
    edges.sort((a, b) => depth[a[2]] - depth[b[2]]);
    for (const [from, unit, to] of edges) {
      const fallback = from === 0 ? 0 : this.#step(this.#fallback[from], unit);
      this.#fallback[to] = fallback;
      if (this.#id[to] < 0) this.#id[to] = this.#id[fallback];
    }
  }
}
