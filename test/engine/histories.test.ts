/**
 * Sessions forked, truncated, saved and restored at random: each has the logits of a fresh session
 * with the same tokens in the same phases, bit for bit, whatever the chunks.
 */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { CACHE_TYPES } from "../../src/cache/rows.js";
import type { LoadedPlm, LoadOptions } from "../../src/engine/load.js";
import type { Session } from "../../src/engine/session.js";
import { VARIANTS } from "../../src/kernels/load.js";
import { PHASES, type Phase } from "../../src/model/batch.js";
import { PRECISIONS } from "../../src/model/precision.js";
import { loadEngine } from "../model/support/engine.js";
import { claimProcessors } from "../model/support/processors.js";
import { Q8_CACHE_DIMS, tinyModel } from "../model/support/tiny.js";
import { seededRandom } from "../support/random.js";

/** Schedules to run; more by hand: `HISTORIES=300 node build/test/engine/histories.test.js`. */
const SCHEDULES = Number(process.env.HISTORIES ?? 30);
const STEPS = 14;
const CONTEXT = 300;

const TYPES = ["Q8_0", "Q4_0", "F32", "Q4_1", "Q5_1"] as const;
const DIMS = { ...Q8_CACHE_DIMS, numHiddenLayers: 2, contextLength: CONTEXT };
const FILES = TYPES.map((type) => tinyModel({ dims: DIMS, type }));

// More threads than the machine may have processors.
let unclaim: () => void;
test.before(() => {
  unclaim = claimProcessors(16);
});
test.after(() => unclaim());

/** Tokens that were evaluated together, and their phase. */
interface Piece {
  readonly tokens: readonly number[];
  readonly phase: Phase;
}

/** A session and its history. */
interface Life {
  session: Session;
  pieces: readonly Piece[];
}

/** The logits after the last token of a fresh session with the same pieces. */
async function replayed(model: LoadedPlm, pieces: readonly Piece[]): Promise<Float32Array> {
  const session = model.createSession();
  let logits: Float32Array = new Float32Array(0);
  for (const { tokens, phase } of pieces) logits = await session.evaluate(tokens, { phase });
  session.dispose();
  return logits;
}

/** Pieces truncated to a length. */
function cut(pieces: readonly Piece[], length: number): Piece[] {
  const kept: Piece[] = [];
  let left = length;
  for (const { tokens, phase } of pieces) {
    if (left > 0) kept.push({ tokens: tokens.slice(0, left), phase });
    left -= tokens.length;
  }
  return kept;
}

for (let seed = 1; seed <= SCHEDULES; seed++) {
  const random = seededRandom(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const pick = <T>(values: readonly T[]): T => values[below(values.length)];
  const variant = VARIANTS[seed % 2];
  const threads = 1 + (seed % 3);
  const options: LoadOptions = {
    cacheType: pick(CACHE_TYPES),
    attention: pick(["absorbed", "expanded"] as const),
    precision: pick(PRECISIONS),
    variant,
  };
  const { cacheType, attention } = options;
  const what = `${seed}: ${variant}, ${threads} threads, ${cacheType}, ${attention}`;

  test(`schedule ${what}`, async () => {
    const file = pick(FILES);
    const model = await loadEngine(file, { ...options, threads, cacheTokens: 4 * CONTEXT });
    const reference = await loadEngine(file, options);
    const lives: Life[] = [{ session: model.createSession(), pieces: [] }];
    for (let step = 0; step < STEPS; step++) {
      const life = pick(lives);
      const action = below(7);
      if (action === 0) {
        lives.push({ session: life.session.fork(), pieces: life.pieces });
      } else if (action === 1) {
        const length = below(life.session.length + 1);
        life.session.truncate(length);
        life.pieces = cut(life.pieces, length);
      } else if (action === 2 && lives.length > 1) {
        life.session.dispose();
        lives.splice(lives.indexOf(life), 1);
        continue;
      } else if (action === 3) {
        const { session } = life;
        const saved = below(2) === 0 ? await session.save() : session.saveStream();
        life.session = (await model.restoreSession(saved)).session;
        session.dispose();
      } else {
        const phase = pick(PHASES);
        const most = Math.min(phase === "decode" ? 6 : 90, CONTEXT - life.session.length);
        if (most === 0) continue;
        const tokens = Array.from({ length: 1 + below(most) }, () => below(DIMS.vocabSize));
        const chunkSize = 1 + below(40);
        const logits = await life.session.evaluate(tokens, { phase, chunkSize });
        life.pieces = [...life.pieces, { tokens, phase }];
        assert.equal(logits, await replayed(reference, life.pieces), `step ${step}`);
      }
      const all = life.pieces.flatMap(({ tokens }) => tokens);
      assert.equal(Array.from(life.session.tokens), all);
    }
    for (const { session } of lives) session.dispose();
    assert.is(model.pagesInUse, 0);
    model.dispose();
  });
}

test.run();
