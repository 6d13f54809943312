/** One conversation whose requests several servers answer, with its session in Redis. */
import { test as each } from "uvu";
import * as assert from "uvu/assert";
import type { ChatMessage } from "../../src/index.js";
import type { SessionStore } from "../../src/redis/index.js";
import type { Handler, RequestLog } from "../../src/server/index.js";
import { loadSmall, shareRedis } from "../redis/support/redis.js";
import { ask, type Json, refusal, request, serve } from "./support/server.js";

const { redis, test } = await shareRedis();
const models = await Promise.all([
  loadSmall({ cacheTokens: 512, maxSequences: 2 }),
  loadSmall({ worker: true, cacheTokens: 512, maxSequences: 2 }),
  loadSmall({ prefixCache: true }),
]);
each.after(async () => {
  for (const model of models) model.dispose();
  await redis.stop();
});

const QUESTIONS = ["Once upon", "a cat", "Why?", "and then", "the dog", "The end"];
const PATH = "/v1/chat/completions";
const SAMPLING = { max_tokens: 24, seed: 3, temperature: 0.9, ignore_eos: true };

/** A server of a model, and the outcomes that it logs. */
async function start(
  index: number,
  sessions?: SessionStore,
): Promise<{ handler: Handler; outcomes: RequestLog["session"][] }> {
  const outcomes: RequestLog["session"][] = [];
  const log = ({ session }: RequestLog): unknown => outcomes.push(session);
  const handler = await serve(models[index], { log, ...(sessions && { sessions }) });
  return { handler, outcomes };
}

/** Asks one question after the other, each of the next server. */
async function converse(handlers: readonly Handler[], key?: string): Promise<Json[]> {
  const messages: ChatMessage[] = [];
  const answers: Json[] = [];
  for (const [i, content] of QUESTIONS.entries()) {
    messages.push({ role: "user", content });
    const body = { messages, ...SAMPLING, ...(key && { prompt_cache_key: key }) };
    const answer = await ask(handlers[i % handlers.length], PATH, body);
    answers.push(answer);
    messages.push({ role: "assistant", content: answer.choices[0].message.content });
  }
  return answers;
}

const textOf = ({ choices }: Json): string => choices[0].message.content;

test("six turns of two servers give the text and the counts of one", async () => {
  const servers = await Promise.all([0, 1].map((i) => start(i, redis.connect())));
  const alone = await start(2);
  const [kept, expected] = [
    await converse(
      servers.map(({ handler }) => handler),
      "conversation",
    ),
    await converse([alone.handler]),
  ];
  assert.equal(kept.map(textOf), expected.map(textOf));
  assert.equal(
    kept.map(({ usage }) => usage),
    expected.map(({ usage }) => usage),
  );
  for (const { usage } of kept.slice(1)) {
    const { cached_tokens: cached } = usage.prompt_tokens_details;
    assert.ok(cached > 0 && cached < usage.prompt_tokens);
  }
  assert.equal(servers[0].outcomes, ["new", "restored", "restored"]);
  assert.equal(servers[1].outcomes, ["restored", "restored", "restored"]);
  const metrics = await (await servers[1].handler(request("/metrics"))).text();
  assert.match(metrics, 'plm:sessions_total{outcome="restored"} 3');
  assert.is(models[0].pagesInUse, 0);
});

test("streams, text completions and responses go on with their sessions too", async () => {
  const { handler, outcomes } = await start(0, redis.connect());
  const stream = { stream: true, messages: [{ role: "user", content: "Once" }] };
  for (const [path, body] of [
    [PATH, stream],
    ["/v1/completions", { prompt: "Once upon a time" }],
    ["/v1/responses", { input: "Once", max_output_tokens: 5 }],
  ] as const) {
    const limit = path === "/v1/responses" ? {} : { max_tokens: 5 };
    const all = { ...body, ...limit, seed: 1, prompt_cache_key: path };
    for (let i = 0; i < 2; i++) await (await handler(request(path, all))).text();
  }
  assert.equal(outcomes, ["new", "restored", "new", "restored", "new", "restored"]);
});

test("without a key, with several answers or without a store nothing is kept", async () => {
  const { handler, outcomes } = await start(0, redis.connect());
  const body = { messages: [{ role: "user", content: "Once" }], max_tokens: 3 };
  await ask(handler, PATH, body);
  await ask(handler, PATH, { ...body, n: 2, prompt_cache_key: "two" });
  const plain = await start(0);
  await ask(plain.handler, PATH, { ...body, prompt_cache_key: "plain" });
  assert.equal([...outcomes, ...plain.outcomes], [undefined, undefined, undefined]);
  const long = { ...body, prompt_cache_key: "x".repeat(257) };
  const error = await refusal(handler, 400, PATH, long);
  assert.is(error.param, "prompt_cache_key");
});

test("a client that hangs up leaves the session as it was, and its turn is over", async () => {
  const { handler, outcomes } = await start(0, redis.connect());
  const messages = [{ role: "user", content: "Once" }];
  const body = { messages, ...SAMPLING, prompt_cache_key: "hang up" };
  const first = textOf(await ask(handler, PATH, body));
  const controller = new AbortController();
  const long = { ...body, messages: [...messages, ...messages], max_tokens: 200, stream: true };
  const { signal } = controller;
  const response = await handler(request(PATH, long, { signal }));
  await response.body!.getReader().read();
  controller.abort();
  assert.is(textOf(await ask(handler, PATH, body)), first);
  assert.is(outcomes.at(-1), "restored");
  assert.is(models[0].pagesInUse, 0);
});

test("a store that fails costs the session, not the answer", async () => {
  const store = redis.connect({ timeoutMs: 200 });
  const { handler, outcomes } = await start(0, store);
  const body = { messages: [{ role: "user", content: "Once" }], ...SAMPLING };
  const keyed = { ...body, prompt_cache_key: "trouble" };
  const expected = textOf(await ask(handler, PATH, body));
  assert.is(textOf(await ask(handler, PATH, keyed)), expected);
  redis.server.pause();
  assert.is(textOf(await ask(handler, PATH, keyed)), expected);
  redis.server.resume();
  redis.server.command("CONFIG", "SET", "maxmemory", "1");
  // The lock needs memory as well.
  assert.is(textOf(await ask(handler, PATH, keyed)), expected);
  redis.server.command("CONFIG", "SET", "maxmemory", "0");
  redis.server.command("HSET", "plm:session:{trouble}", "pieces", "0:none");
  assert.is(textOf(await ask(handler, PATH, keyed)), expected);
  const [, ...kept] = outcomes;
  assert.equal(kept, ["new", "unavailable", "unavailable", "replaced"]);
});

each.run();
