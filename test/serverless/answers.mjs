// What every example must answer, wherever it runs.
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";

const messages = [{ role: "user", content: "Once upon a time" }];
const CHAT = "/v1/chat/completions";

/** The request whose text is compared with the library's. */
export const REQUEST = { messages, max_tokens: 24, seed: 1 };

/** More clients than the examples answer at a time. */
const HANG_UPS = 5;

const IDLE_MS = 10_000;
const POLL_MS = 50;

/** The text of a stream of chunks, which must end as OpenAI's do. */
function textOf(events) {
  const lines = events.split("\n\n");
  assert.deepEqual(lines.splice(-2), ["data: [DONE]", ""]);
  const chunks = lines.map((line) => JSON.parse(line.replace(/^data: /, "")));
  return chunks.map(({ choices }) => choices[0].delta.content ?? "").join("");
}

/**
 * The checks of an example. `ask(path, init)` is a fetch of it, `addModel` puts the model where the
 * example finds it, and `expected` is the library's text. Clients that hang up end their
 * generations unless `hangsUp` is false.
 */
export function answerChecks({ ask, addModel, expected, hangsUp = true }) {
  const post = (body, init = {}) =>
    ask(CHAT, { method: "POST", body: JSON.stringify(body), ...init });
  const chat = async (fields = {}) => {
    const response = await post({ ...REQUEST, ...fields });
    const { choices, error } = await response.json();
    assert.equal(response.status, 200, error?.message);
    return choices[0].message.content;
  };
  const health = async () => {
    const response = await ask("/health");
    return [response.status, await response.json()];
  };
  const untilIdle = async () => {
    for (const endMs = performance.now() + IDLE_MS; performance.now() < endMs; ) {
      const metrics = await (await ask("/metrics")).text();
      if (/requests_processing 0\n/.test(metrics)) return;
      await setTimeout(POLL_MS);
    }
    throw new Error("a generation goes on");
  };
  return {
    "without a model it says so, and looks again": async () => {
      const response = await post(REQUEST);
      const { error } = await response.json();
      assert.deepEqual(
        [response.status, response.headers.get("retry-after"), error.message],
        [503, "2", "the model could not be loaded"],
      );
      assert.deepEqual(await health(), [503, { status: "error" }]);
      await addModel();
      assert.equal(await chat(), expected);
      assert.deepEqual(await health(), [200, { status: "ok" }]);
    },
    "a stream has the same text": async () => {
      const response = await post({ ...REQUEST, stream: true });
      assert.equal(response.status, 200);
      assert.match(response.headers.get("content-type"), /^text\/event-stream/);
      assert.equal(textOf(await response.text()), expected);
    },
    "what is wrong is refused": async () => {
      const response = await post({ ...REQUEST, top_p: 7 });
      const { error } = await response.json();
      assert.deepEqual([response.status, error.param], [400, "top_p"]);
      const broken = await ask(CHAT, { method: "POST", body: '{"messages": [' });
      assert.equal(broken.status, 400);
      assert.match((await broken.json()).error.message, /JSON/);
      assert.equal((await ask("/v1/nothing")).status, 404);
    },
    "several at once": async () => {
      const stream = post({ ...REQUEST, stream: true }).then((response) => response.text());
      const texts = await Promise.all([chat(), stream.then(textOf), chat(), health()]);
      assert.deepEqual(texts, [expected, expected, expected, [200, { status: "ok" }]]);
    },
    ...(hangsUp && {
      "clients that hang up leave nothing behind": async () => {
        for (let i = 0; i < HANG_UPS; i++) {
          const controller = new AbortController();
          const { signal } = controller;
          const response = await post({ messages, ignore_eos: true, stream: true }, { signal });
          assert.equal(response.status, 200);
          await response.body.getReader().read();
          controller.abort();
        }
        await untilIdle();
        assert.equal(await chat(), expected);
      },
    }),
  };
}
