/**
 * Bad input at random, from a seed: answers are correct, say nothing of the server, and leave it as
 * it was. BAD_REQUESTS is their number, BAD_REQUESTS_SEED the seed.
 */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../support/random.js";
import { ask, type Json, loadSmall, request, serve, until } from "./support/server.js";

const ROUNDS = Number(process.env.BAD_REQUESTS ?? 400);
const SEED = Number(process.env.BAD_REQUESTS_SEED ?? 1);
const KEY = "sk-a-key-that-nobody-sees";

const model = await loadSmall();
const handler = await serve(model, { apiKeys: [KEY], maxBodyBytes: 1 << 16 });
test.after(() => model.dispose());

const random = seededRandom(SEED);
const below = (n: number): number => Math.floor(random() * n);
const pick = <T>(list: readonly T[]): T => list[below(list.length)];

const messages = [{ role: "user", content: "Hi" }];
const schema = {
  type: "object",
  properties: { a: { type: "integer" }, b: { type: "array", items: { type: "string" } } },
  required: ["a"],
};
const tool = { type: "function", function: { name: "f", description: "d", parameters: schema } };

/** Sound requests, which are spoilt. */
const SOUND: readonly [path: string, body: Json][] = [
  [
    "/v1/chat/completions",
    {
      ...{ model: "plm", messages, max_tokens: 3, temperature: 1, top_p: 0.9, n: 2, seed: 1 },
      ...{ stop: ["x"], logprobs: true, top_logprobs: 1, logit_bias: { 3: 1 }, stream: true },
      ...{ stream_options: { include_usage: true }, tools: [tool], tool_choice: "auto" },
    },
  ],
  ["/v1/chat/completions", { messages, max_tokens: 2, response_format: { type: "text" } }],
  ["/v1/completions", { prompt: ["a", [1, 2]], max_tokens: 2, echo: true, samplers: ["top_k"] }],
  ["/v1/responses", { input: messages, max_output_tokens: 2, text: { format: { type: "text" } } }],
  ["/v1/embeddings", { input: ["a", "b"], encoding_format: "base64" }],
  ["/tokenize", { content: "a", with_pieces: true }],
  ["/detokenize", { tokens: [1, 2] }],
  ["/apply-template", { messages, tools: [tool] }],
  ["/api/chat", { messages, stream: false, options: { num_predict: 2, top_k: 3 } }],
  ["/api/generate", { prompt: "a", stream: true, options: { num_predict: 2 } }],
  ["/api/embed", { input: "a" }],
  ["/api/show", { model: "plm" }],
];

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = below(2) === 0 ? [value] : { a: value };
  return value;
}

/** Values of wrong types and of hostile sizes. */
const VALUES: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => -1,
  () => 0,
  () => 1e308,
  () => 1.5,
  () => 2 ** 53,
  () => "",
  () => "x".repeat(below(3000)),
  () => "\u0000\ud800<|im_end|>",
  () => [],
  () => [null],
  () => {},
  () => ({ __proto__: null, constructor: 1, toString: 2 }),
  () => JSON.parse('{"__proto__": {"status": 1}, "length": -1}'),
  () => nested(below(300)),
  () => Array.from({ length: below(2000) }, () => below(5)),
  () => ({ type: "json_schema", json_schema: { name: "s", schema: pick(SCHEMAS)() } }),
  () => pick(SCHEMAS)(),
];

/** Schemas that are wrong, endless or large. */
const SCHEMAS: readonly (() => unknown)[] = [
  () => ({ $ref: "#" }),
  () => ({ $ref: "file:///etc/passwd" }),
  () => ({ $ref: "http://127.0.0.1:1/x" }),
  () => ({ $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } }, $ref: "#/$defs/a" }),
  () => ({ type: "string", pattern: "(a+)+$" }),
  () => ({ type: "string", pattern: "(" }),
  () => ({ type: "string", pattern: `${"(a?)".repeat(50)}{1000}` }),
  () => ({ type: "array", minItems: 1e9 }),
  () => ({ enum: Array.from({ length: 500 }, (_, i) => "v".repeat(i % 50) + i) }),
  () => ({ anyOf: Array.from({ length: 300 }, () => ({ type: "string" })) }),
  () => ({ type: 3 }),
  () => nested(200),
];

/** A copy with one value anywhere replaced, removed or added. */
function spoil(value: Json): Json {
  const copy = structuredClone(value);
  let place = copy;
  for (;;) {
    const key = pick(Object.keys(place));
    const inner = place[key];
    if (
      typeof inner === "object" &&
      inner !== null &&
      Object.keys(inner).length > 0 &&
      below(3) > 0
    ) {
      place = inner;
      continue;
    }
    const kind = below(10);
    if (kind === 0 && !Array.isArray(place)) delete place[key];
    else if (kind === 1 && !Array.isArray(place)) place[`${key}${below(10)}`] = pick(VALUES)();
    else place[key] = pick(VALUES)();
    return copy;
  }
}

/** A body: spoilt as a value, as a text or as bytes. */
function badBody(sound: Json): string | Uint8Array {
  const kind = below(20);
  const text = JSON.stringify(spoil(sound));
  if (kind === 0) return text.slice(0, below(text.length));
  if (kind === 1) return `${"[".repeat(below(20_000))}${text}`;
  if (kind === 2) return `{"messages":${"[{".repeat(2000)}`;
  if (kind === 3) return `${text}${" ".repeat(1 << 16)}`;
  if (kind === 4) {
    const bytes = new TextEncoder().encode(text);
    for (let i = 0; i < 3; i++) bytes[below(bytes.length)] = below(256);
    return bytes;
  }
  if (kind === 5) return Uint8Array.from({ length: below(200) }, () => below(256));
  return text;
}

/** What no answer may say. */
const SECRETS = [
  KEY,
  process.cwd(),
  "node_modules",
  "file://",
  "/build/src",
  ".ts:",
  ".js:",
  "    at ",
];

function checkError(status: number, path: string, body: Json): void {
  assert.ok([400, 404, 413].includes(status), `status ${status}`);
  const { error } = body;
  if (path.startsWith("/api/")) {
    assert.equal([typeof error, Object.keys(body)], ["string", ["error"]]);
    return;
  }
  assert.equal(Object.keys(error).sort(), ["code", "message", "param", "type"]);
  assert.is(typeof error.message, "string");
  const { type } = error;
  assert.ok(["invalid_request_error", "not_found_error"].includes(type), type);
}

test("bad input is refused, and nothing stays behind", async () => {
  const headers = { authorization: `Bearer ${KEY}` };
  const statuses: Record<number, number> = {};
  for (let round = 0; round < ROUNDS; round++) {
    const [path, sound] = pick(SOUND);
    const body = badBody(sound);
    const shown = typeof body === "string" ? body.slice(0, 500) : `bytes ${body.slice(0, 50)}`;
    try {
      const signal = AbortSignal.timeout(20_000);
      const response = await handler(request(path, body, { headers, signal }));
      const text = await response.text();
      for (const secret of SECRETS) {
        assert.ok(shown.includes(secret) || !text.includes(secret), `${secret} in ${text}`);
      }
      const { status } = response;
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (status !== 200) checkError(status, path, JSON.parse(text));
    } catch (error) {
      console.error(`round ${round} of seed ${SEED}: ${path} ${shown}`);
      throw error;
    }
  }
  assert.ok(statuses[400] > ROUNDS / 4, JSON.stringify(statuses));
  await until(() => model.pagesInUse === 0);
  const metrics = await (await handler(request("/metrics", undefined, { headers }))).text();
  assert.match(metrics, /requests_processing 0\n/);
  assert.match(metrics, /requests_deferred 0\n/);
  assert.equal(await ask(handler, "/health"), { status: "ok" });
});

test("paths and headers of all kinds", async () => {
  const paths = [
    ...["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/v1/models/%00", "/v1/models/%ff"],
    ...[
      "//v1/models",
      "/v1//models",
      "/v1/models/../../x",
      `/${"a".repeat(9000)}`,
      "/%",
      "/v1/%zz",
    ],
    ...[
      "/v1/models/%2e%2e%2f%2e%2e%2fpackage.json",
      "/api/..;/v1/models",
      "/constructor",
      "/__proto__",
    ],
  ];
  for (const path of paths) {
    for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"]) {
      const body = method === "GET" || method === "HEAD" ? undefined : "{}";
      const options = { method, headers: { authorization: `Bearer ${KEY}` } };
      const response = await handler(request(path, body, options));
      const text = await response.text();
      assert.ok([200, 400, 404, 405].includes(response.status), `${method} ${path}: ${text}`);
      for (const secret of SECRETS) assert.not(text.includes(secret), text);
      if (response.status !== 200 && method !== "HEAD") assert.ok("error" in JSON.parse(text));
    }
  }
});

test.run();
