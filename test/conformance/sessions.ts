/** Conformance: sessions that fork, are saved, and go on where another runtime left them. */
import type { Conversation, Model, Session } from "../../src/index.js";
import { SAMPLED_TOKENS } from "./answers.js";
import { type Check, equal, identical, PROMPT, throwsCode } from "./subject.js";

/** What another runtime saved is computed by the kernels that every runtime has. */
export const SAVED_OPTIONS = { variant: "simd", precision: "exact", threads: 1 } as const;

/** A session of more tokens than a page of the cache has rows. */
async function longSession(model: Model): Promise<Session> {
  const session = model.createSession();
  await session.evaluate(model.tokenizer.encode(PROMPT.repeat(3)), { logits: "none" });
  return session;
}

/** Appends SAMPLED_TOKENS one by one; f32[their number, vocabSize]. */
function goOn(session: Session): Promise<Float32Array> {
  return session.evaluate(SAMPLED_TOKENS, { chunkSize: 1, logits: "all" });
}

/** Goes on from a saved session; the logits. */
async function goOnFrom(model: Model, bytes: Uint8Array<ArrayBuffer>): Promise<Float32Array> {
  const session = await model.restoreSession(bytes);
  const logits = await goOn(session);
  session.dispose();
  return logits;
}

/**
 * What one runtime hands to another, made by a model of SAVED_OPTIONS: the logits of the session
 * that goes on, then the session as it was saved before.
 */
export async function saveForOthers(model: Model): Promise<Uint8Array<ArrayBuffer>> {
  const session = await longSession(model);
  const bytes = await session.save();
  const logits = new Uint8Array(new Float32Array(await goOn(session)).buffer);
  session.dispose();
  const both = new Uint8Array(logits.length + bytes.length);
  both.set(logits);
  both.set(bytes, logits.length);
  return both;
}

/** Sessions, here and from elsewhere. */
export const SESSION_CHECKS: Record<string, Check> = {
  "a fork and its session go their own ways": async ({ model }) => {
    const session = await longSession(model);
    const fork = session.fork();
    await fork.evaluate([5, 6, 7]);
    const expected = await goOn(session);
    fork.truncate(fork.length - 3);
    identical(await goOn(fork), expected);
    equal([...fork.tokens], [...session.tokens]);
    fork.dispose();
    session.dispose();
  },
  "a session that was saved goes on bit for bit": async ({ model }) => {
    const session = await longSession(model);
    const bytes = await session.save();
    const expected = await goOn(session);
    session.dispose();
    identical(await goOnFrom(model, bytes), expected);
  },
  "a session is saved to a stream, and restored from one": async ({ model }) => {
    const session = await longSession(model);
    const streamed = new Uint8Array(await new Response(session.saveStream()).arrayBuffer());
    equal([...streamed], [...(await session.save())]);
    const restored = await model.restoreSession(session.saveStream());
    equal([...restored.tokens], [...session.tokens]);
    identical(await goOn(restored), await goOn(session));
    restored.dispose();
    session.dispose();
  },
  "a session that Node saved goes on bit for bit": async ({ file, load, saved, hasThreads }) => {
    for (const threads of hasThreads ? [1, 2] : [1]) {
      const model = await load(file, { ...SAVED_OPTIONS, threads });
      equal([model.variant, model.threads], ["simd", threads]);
      const end = SAMPLED_TOKENS.length * model.config.vocabSize * Float32Array.BYTES_PER_ELEMENT;
      identical(
        await goOnFrom(model, saved.slice(end)),
        new Float32Array(saved.slice(0, end).buffer),
      );
      model.dispose();
    }
  },
  "a conversation that was saved goes on": async ({ model }) => {
    const conversation = model.createConversation();
    const ask = (asked: Conversation) =>
      asked.ask("Then it saw a cat.", { maxTokens: 4, ignoreEos: true, seed: 1 }).result();
    await ask(conversation);
    const restored = await model.restoreConversation(await conversation.save());
    equal(restored.messages, conversation.messages);
    const [again, expected] = [await ask(restored), await ask(conversation)];
    equal([again.tokens, again.promptTokens], [expected.tokens, expected.promptTokens]);
    restored.dispose();
    conversation.dispose();
  },
  "bad input: saved sessions": async ({ model, file, load }) => {
    const session = await longSession(model);
    const bytes = await session.save();
    session.dispose();
    await throwsCode("INVALID_FILE", () => model.restoreSession(bytes.slice(0, -1)));
    await throwsCode("INVALID_FILE", () => model.restoreSession(file));
    const other = await load(file, { cacheType: "f32" });
    await throwsCode("UNSUPPORTED_FILE", () => other.restoreSession(bytes));
    other.dispose();
    const changed = bytes.slice();
    changed[changed.length >> 1] ^= 1;
    await throwsCode("INVALID_FILE", () => model.restoreSession(changed));
  },
};
