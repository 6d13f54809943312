/** The model's answers: one at a time, shown as they come, kept when they are over. */
import { signal } from "@preact/signals";
import { type Generation, generate, type Model, PlmError, type Session } from "plm-wasm";
import { readCache, writeCache } from "../conversations/caches.js";
import { conversationOf, putConversation } from "../conversations/conversations.js";
import { addTurn, type Conversation, pathTo, type TurnFigures } from "../conversations/tree.js";
import { inform, reportError } from "../interface/notices.js";
import { explain } from "../model/explain.js";
import { generateOptions, settings } from "../settings/settings.js";
import { Branches } from "./branches.js";
import { promptTokens } from "./prompt.js";

/** An answer that is being written. */
export interface Running {
  readonly conversation: string;
  readonly text: string;
  /** Since the first token; 0 before it. */
  readonly tokensPerSecond: number;
  /** Of the context. */
  readonly usedTokens: number;
}

export const running = signal<Running | undefined>(undefined);

/** What is read to those who do not see the page, when an answer is over. */
export const announcement = signal("");

const perModel = new WeakMap<Model, { branches: Branches; asked: Set<string> }>();

let stopping: AbortController | undefined;

/** Ends the answer that is being written; what there is of it stays. */
export function stopAnswer(): void {
  stopping?.abort();
}

/** Writes an answer to the head of a conversation. */
export async function answer(model: Model, id: string): Promise<void> {
  if (running.value !== undefined) return;
  const conversation = conversationOf(id);
  if (conversation === undefined) return;
  running.value = { conversation: id, text: "", tokensPerSecond: 0, usedTokens: 0 };
  announcement.value = "";
  stopping = new AbortController();
  try {
    await write(model, conversation, stopping.signal);
  } catch (error) {
    reportError(explain(error));
  } finally {
    running.value = undefined;
    stopping = undefined;
  }
}

async function write(model: Model, conversation: Conversation, signal: AbortSignal): Promise<void> {
  const { id, head, turns } = conversation;
  const branches = await branchesOf(model, id);
  const tokens = promptTokens(model, pathTo(turns, head), settings.value.system);
  if (tokens.length === 0) throw new Error("Write the beginning of a text first.");
  const { contextLength } = model.plan.options;
  if (tokens.length > contextLength) {
    const message = `expected at most ${contextLength} tokens, got ${tokens.length}`;
    throw new PlmError("CONTEXT_FULL", message);
  }
  const { session, rest, reusedTokens } = branches.take(tokens);
  const before = model.sparsity;
  const generation = generate(session, model.tokenizer, rest, generateOptions());
  signal.addEventListener("abort", () => generation.cancel());
  await show(generation, id, session);
  const { text, timings, ...result } = generation.soFar();
  const after = model.sparsity;
  const activations = after.activations - before.activations;
  const figures: TurnFigures = {
    tokens: result.tokens.length,
    tokensPerSecond: timings.tokensPerSecond,
    evaluatedTokens: result.promptTokens - result.cachedTokens,
    reusedTokens: reusedTokens + result.cachedTokens,
    skippedShare: activations > 0 ? 1 - (after.nonZero - before.nonZero) / activations : undefined,
    finishReason: result.finishReason,
    seed: result.seed,
  };
  announcement.value = text;
  // Its title or place may have changed meanwhile, and it may have been deleted.
  const now = conversationOf(id);
  if (now === undefined) return;
  const turn = { parent: head, role: "assistant", text, figures } as const;
  await putConversation(addTurn(now, turn, Date.now()));
  void keep(session, id);
}

/** Reads the pieces; the page is drawn once a frame at most. */
async function show(generation: Generation, id: string, session: Session): Promise<void> {
  let frame = 0;
  const draw = (): void => {
    frame = 0;
    const { text, timings } = generation.soFar();
    const { tokensPerSecond } = timings;
    running.value = { conversation: id, text, tokensPerSecond, usedTokens: session.length };
  };
  try {
    for await (const _ of generation) frame ||= requestAnimationFrame(draw);
  } finally {
    cancelAnimationFrame(frame);
  }
}

/** The branches of a model; rows that were kept for a conversation are restored the first time. */
async function branchesOf(model: Model, id: string): Promise<Branches> {
  let own = perModel.get(model);
  if (own === undefined) {
    own = { branches: new Branches(model), asked: new Set() };
    perModel.set(model, own);
  }
  if (own.asked.has(id)) return own.branches;
  own.asked.add(id);
  const kept = await readCache(id);
  if (kept === undefined) return own.branches;
  try {
    own.branches.add(await model.restoreSession(kept));
  } catch (error) {
    // Another model's, or damaged: the text is evaluated again.
    if (PlmError.from(error) === undefined) throw error;
  }
  return own.branches;
}

async function keep(session: Session, id: string): Promise<void> {
  try {
    await writeCache(id, await session.save());
  } catch (error) {
    const code = PlmError.from(error)?.code;
    // The next answer has begun; it is kept when that is over.
    if (code === "SESSION_BUSY" || code === "DISPOSED") return;
    inform(explain(error));
  }
}
