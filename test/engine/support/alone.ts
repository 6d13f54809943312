/** The reference of sequences that were evaluated together: one session, one sequence at a time. */
import * as assert from "uvu/assert";
import type { LoadedPlm } from "../../../src/engine/load.js";
import type { LocalSession } from "../../../src/engine/local-session.js";
import type { OutputKind } from "../../../src/model/batch.js";

/** A sequence after an evaluation, and what that resolved to. */
export interface Evaluated {
  readonly tokens: Uint32Array;
  /** How the row of each token was computed. */
  readonly kinds: Uint8Array;
  /** Tokens before the evaluation. */
  readonly from: number;
  /** What was requested, and of which tokens. */
  readonly kind: OutputKind;
  readonly choice: "last" | "all";
  readonly out: Float32Array;
}

export class Alone {
  readonly #session: LocalSession;

  /** With a model that reuses no rows. */
  constructor(model: LoadedPlm) {
    this.#session = model.createSession() as LocalSession;
  }

  /** Asserts that the same tokens in the same phases have this result, bit for bit. */
  async assertEqual({ tokens, kinds, from, kind, choice, out }: Evaluated): Promise<void> {
    const session = this.#session;
    const { history } = session.sequence;
    let common = 0;
    // What is evaluated last must be evaluated for its logits.
    while (common < from && common < history.length && this.#isAt(common, tokens, kinds)) common++;
    session.truncate(common);
    const results: Float32Array[] = [];
    for (let at = common; at < tokens.length; ) {
      let end = at + 1;
      while (end < tokens.length && end !== from && kinds[end] === kinds[at]) end++;
      const phase = kinds[at] < 2 ? "prefill" : "decode";
      const result = await session.evaluate(tokens.subarray(at, end), { phase, [kind]: choice });
      assert.equal(history.kinds[at], kinds[at]);
      if (at >= from) results.push(result);
      at = end;
    }
    const expected = choice === "all" ? joined(results) : results[results.length - 1];
    assert.ok(isSame(out, expected), `${tokens.length} tokens, the last ${tokens.length - from}`);
  }

  #isAt(position: number, tokens: Uint32Array, kinds: Uint8Array): boolean {
    const { history } = this.#session.sequence;
    return (
      history.tokens[position] === tokens[position] && history.kinds[position] === kinds[position]
    );
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

/** Whether the bits are the same. */
function isSame(one: Float32Array, other: Float32Array): boolean {
  const words = new Uint32Array(one.buffer, one.byteOffset, one.length);
  const others = new Uint32Array(other.buffer, other.byteOffset, other.length);
  return words.length === others.length && words.every((word, i) => word === others[i]);
}
