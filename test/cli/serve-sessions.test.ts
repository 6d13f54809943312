/** Two `plm serve` that answer one conversation in turns, through Redis. */
import { join } from "node:path";
import { test as plain } from "uvu";
import * as assert from "uvu/assert";
import { startRedis } from "../support/redis-server.js";
import { assertFails, finish, start } from "./support/plm.js";
import { end, type Served, serve } from "./support/serve.js";

const redis = await startRedis({ password: "correct horse" });
const test = redis === undefined ? plain.skip : plain;
plain.after(() => redis?.stop());

const MODEL = ["--model", join(process.cwd(), "models/plm-tiny.gguf"), "--threads", "1"];
const QUESTIONS = [
  ...["Once upon a time there was a cat.", "Tell me more.", "What did the dog say?"],
  ...["And then?", "Who came to the house?", "How does it end?"],
];

interface Answer {
  readonly choices: readonly { readonly message: { readonly content: string } }[];
  readonly usage: unknown;
}

/** Asks one question after the other, each of the next server; the answers' texts and counts. */
async function converse(servers: readonly Served[]): Promise<unknown[]> {
  const messages: object[] = [];
  const answers: unknown[] = [];
  for (const [i, content] of QUESTIONS.entries()) {
    messages.push({ role: "user", content });
    const body = { messages, max_tokens: 40, seed: 11, prompt_cache_key: "six turns" };
    const { url } = servers[i % servers.length];
    const init = { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(`${url}/v1/chat/completions`, init);
    const { choices, usage } = (await response.json()) as Answer;
    const [{ message }] = choices;
    answers.push({ text: message.content, usage });
    messages.push({ role: "assistant", content: message.content });
  }
  return answers;
}

test("six turns of two processes are those of one, and the log says where they go on", async () => {
  const flags = [...MODEL, "--redis", redis!.url, "--log", "--session-ttl", "60"];
  const servers = await Promise.all([serve(...flags), serve(...flags), serve(...MODEL)]);
  const alone = servers.pop()!;
  assert.equal(await converse(servers), await converse([alone]));
  const outcomes = servers.map(({ output }) =>
    Array.from(output.stderr.matchAll(/"session":"(\w+)"/g), ([, outcome]) => outcome),
  );
  assert.equal(outcomes, [
    ["new", "restored", "restored"],
    ["restored", "restored", "restored"],
  ]);
  for (const server of [...servers, alone]) assert.is(await end(server), 143);
});

test("an address that is wrong is said at once, without its password", async () => {
  const serveWith = (url: string): string[] => ["serve", ...MODEL, "--port", "0", "--redis", url];
  const wrong = redis!.url.replace("correct", "wrong");
  const { stderr } = await finish(start(...serveWith(wrong)));
  assert.not.match(stderr, "horse");
  await assertFails(
    /^plm: --redis: expected redis:\/\/127\.0\.0\.1:\d+ to ans/,
    ...serveWith(wrong),
  );
  await assertFails(/--redis: expected a URL such as/, ...serveWith("localhost"));
  await assertFails(/ECONNREFUSED/, ...serveWith("redis://127.0.0.1:1"));
});

test("a port that is taken ends it, though Redis answers", async () => {
  const { port } = new URL(redis!.url);
  const args = ["serve", ...MODEL, "--port", port, "--redis", redis!.url];
  await assertFails(/EADDRINUSE/, ...args);
});

plain.run();
