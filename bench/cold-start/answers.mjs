// How long a server takes until the first text of a stream.

/** Prompts no row of which is in the cache. */
const PROMPTS = {
  cold: "Once upon a time",
  warm: "The little dog wanted to play in the park",
};

/** Fails with the answer unless it is a stream of events. */
async function check(response) {
  if (response.ok) return response.body.getReader();
  throw new Error(`expected 200, got ${response.status}: ${await response.text()}`);
}

/**
 * Milliseconds from asking with a fetch, or from an earlier time, to the first piece of text. The
 * rest is read as well.
 */
export async function firstTextMs(ask, kind, startMs = performance.now()) {
  const messages = [{ role: "user", content: PROMPTS[kind] }];
  const body = JSON.stringify({ messages, max_tokens: 8, seed: 1, stream: true });
  const reader = await check(await ask("/v1/chat/completions", { method: "POST", body }));
  const decoder = new TextDecoder();
  let text = "";
  while (!/"content":"[^"]/.test(text)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`expected a text, got ${text}`);
    text += decoder.decode(value, { stream: true });
  }
  const endMs = performance.now();
  while (!(await reader.read()).done);
  return endMs - startMs;
}
