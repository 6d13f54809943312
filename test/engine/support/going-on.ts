/** A session that goes on: what the process that saved it and the one that restores it share. */
import type { LoadedPlm, LoadOptions } from "../../../src/engine/load.js";
import type { Session } from "../../../src/engine/session.js";
import { loadEngine } from "../../model/support/engine.js";
import { claimProcessors } from "../../model/support/processors.js";
import { Q8_CACHE_DIMS, tinyModel, tinyTokens } from "../../model/support/tiny.js";

const DIMS = { ...Q8_CACHE_DIMS, numHiddenLayers: 2, contextLength: 150 };

/** How a process loads the model. */
export type Loading = Required<Pick<LoadOptions, "threads" | "cacheType">>;

/** The model, on more threads than the machine may have processors. */
export async function loadOn(loading: Loading): Promise<LoadedPlm> {
  const unclaim = claimProcessors(16);
  const model = await loadEngine(tinyModel({ dims: DIMS, type: "Q8_0" }), loading);
  unclaim();
  if (model.threads !== loading.threads) throw model.threadFailure;
  return model;
}

/** A session of more than a page. */
export async function longSession(model: LoadedPlm): Promise<Session> {
  const session = model.createSession();
  await session.evaluate(tinyTokens(70));
  return session;
}

/** The bytes of the logits of a chunk of tokens, then of some more, one by one. */
export async function goOn(session: Session): Promise<Buffer> {
  const tokens = tinyTokens(9, 2);
  const parts = [
    await session.evaluate(tokens, { logits: "all" }),
    await session.evaluate(tokens, { logits: "all", chunkSize: 1 }),
  ];
  return Buffer.concat(parts.map((logits) => Buffer.from(logits.buffer)));
}
