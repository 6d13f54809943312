import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { listen } from "../support/listen.js";
import { assertFails, finish, folder, start } from "./support/plm.js";
import { end, serve } from "./support/serve.js";

const SMALL = join(process.cwd(), "models/plm-test.gguf");
const PATH = "/v1/completions";

function post(url: string, body: object | string | Uint8Array, signal?: AbortSignal) {
  const raw = typeof body === "string" || body instanceof Uint8Array;
  const payload = (raw ? body : JSON.stringify(body)) as BodyInit;
  return fetch(url, { method: "POST", body: payload, ...(signal && { signal }) });
}

/** Opens a socket and sends bytes; its answers add up in `received`. */
async function send(
  port: number,
  text: string,
): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect(port, "127.0.0.1");
  let all = "";
  socket.on("data", (chunk) => {
    all += chunk;
  });
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(text);
  return { socket, received: () => all };
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let i = 0; i < 300 && !(await condition()); i++) await sleep(20);
  assert.ok(await condition(), String(condition));
}

const isIdle = async (url: string): Promise<boolean> =>
  /requests_processing 0\n/.test(await (await fetch(`${url}/metrics`)).text());

const served = await serve("--model", SMALL, "--log", "--max-body", "100000", "--alias", "small");
const { url, port } = served;
test.after(() => {
  served.child.kill("SIGKILL");
});

test("it answers, by its alias", async () => {
  const response = await post(`${url}${PATH}`, { model: "small", prompt: "Once", max_tokens: 3 });
  assert.is(response.status, 200);
  const { usage } = (await response.json()) as { usage: { completion_tokens: number } };
  assert.is(usage.completion_tokens, 3);
  const props = (await (await fetch(`${url}/props`)).json()) as { total_slots: number };
  assert.is(props.total_slots, 4);
});

test("a client that hangs up ends its generation", async () => {
  for (const stream of [true, false]) {
    const controller = new AbortController();
    const body = { prompt: "Once", ignore_eos: true, stream, n: 4 };
    const response = post(`${url}${PATH}`, body, controller.signal);
    response.catch(() => {});
    if (stream) await (await response).body!.getReader().read();
    controller.abort();
    await until(() => isIdle(url));
  }
});

test("half-open and slow clients do not hold others up", async () => {
  const sockets = await Promise.all([
    send(port, "POST /v1/completions HTTP/1.1\r\nHost: a\r\n"),
    send(port, "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n{"),
    send(port, ""),
  ]);
  const body = JSON.stringify({ prompt: "Once", max_tokens: 2 });
  const head = `POST ${PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`;
  const slow = await send(port, head);
  assert.is((await fetch(`${url}/health`)).status, 200);
  for (const char of body) {
    slow.socket.write(char);
    await sleep(1);
  }
  await until(() => slow.received().includes('"completion_tokens":2'));
  for (const { socket } of [...sockets, slow]) socket.destroy();
});

test("bytes that are no request, and requests with tricks in their headers", async () => {
  const tricks: readonly [text: string, status: RegExp][] = [
    ["NONSENSE\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["GET /health HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["GET /health HTTP/1.1\r\nHost: a b\r\n\r\n", /^HTTP\/1\.1 400 /],
    [`GET /health HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    [
      "POST /tokenize HTTP/1.1\r\nHost: a\r\n" +
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
      /^HTTP\/1\.1 400 /,
    ],
    [
      "POST /tokenize HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
      /^HTTP\/1\.1 400 /,
    ],
    ["GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", /^HTTP\/1\.1 404 /],
    ["GET /%2e%2e/%00 HTTP/1.1\r\nHost: a\r\n\r\n", /^HTTP\/1\.1 404 /],
    ["GET http://other/health HTTP/1.1\r\nHost: a\r\n\r\n", /^HTTP\/1\.1 (200|400|404) /],
  ];
  for (const [text, status] of tricks) {
    const { socket, received } = await send(port, text);
    await until(() => /\r\n\r\n.*\}$/s.test(received()));
    assert.match(received(), status, text);
    assert.not.match(received(), /node_modules|file:|\/build\/|at /);
    socket.destroy();
  }
  const invalid = await post(`${url}${PATH}`, Uint8Array.of(123, 34, 255, 34, 125));
  assert.is(invalid.status, 400);
  assert.match(await invalid.text(), /^\{"error":\{"message":"body: expected UTF-8/);
  const large = await post(`${url}${PATH}`, { prompt: "a".repeat(200_000) });
  assert.is(large.status, 413);
  await large.text();
  assert.is((await fetch(`${url}/health`)).status, 200);
});

test("the log has a line of JSON for each request, and nothing else is printed", async () => {
  const lines = served.output.stderr.trimEnd().split("\n");
  assert.ok(lines.length > 10);
  for (const line of lines) assert.type(JSON.parse(line).status, "number", line);
  assert.is(served.output.stdout, "");
});

test("SIGTERM lets it finish what runs, past half-open clients", async () => {
  await send(port, "POST /v1/completions HTTP/1.1\r\nHost: a\r\n");
  const body = { prompt: "Once", ignore_eos: true, stream: true };
  const response = await post(`${url}${PATH}`, body);
  const exit = end(served);
  const text = await response.text();
  assert.ok(text.endsWith("data: [DONE]\n\n"), text.slice(-200));
  assert.is(await exit, 128 + 15);
  assert.is(served.output.stdout, "");
});

test("keys from the flag, the file and the environment", async () => {
  writeFileSync(join(folder, "keys"), "from-file\n\n");
  process.env.PLM_API_KEY = "from-environment";
  const args = ["--api-key", "from-flag", "--api-key-file", "keys", "--parallel", "2"];
  const own = await serve("--model", SMALL, ...args).finally(() => delete process.env.PLM_API_KEY);
  for (const key of ["from-flag", "from-file", "from-environment"]) {
    const headers = { authorization: `Bearer ${key}` };
    assert.is((await fetch(`${own.url}/v1/models`, { headers })).status, 200, key);
  }
  assert.is((await fetch(`${own.url}/v1/models`)).status, 401);
  assert.is(await end(own, "SIGINT"), 128 + 2);
});

test("it listens while the model is loading, and a signal ends that", async () => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const bytes = readFileSync(SMALL);
  const source = await listen(
    createServer(async (_, response) => {
      await held;
      response.end(bytes);
    }),
  );
  const free = await listen(createServer());
  const { port: chosen } = free.url;
  await free.close();
  const model = new URL("small.gguf", source.url).href;
  for (const ends of [true, false]) {
    const child = start("serve", "--port", chosen, "--model", model);
    const finished = finish(child);
    const health = (): Promise<{ status: string }> =>
      fetch(`http://127.0.0.1:${chosen}/health`).then(
        (response) => response.json() as Promise<{ status: string }>,
        () => ({ status: "" }),
      );
    await until(async () => (await health()).status === "loading model");
    if (!ends) {
      release();
      await until(async () => (await health()).status === "ok");
    }
    child.kill("SIGTERM");
    const { code, stdout } = await finished;
    assert.is(code, 128 + 15);
    assert.is(stdout, ends ? "" : `http://127.0.0.1:${chosen} is ready\n`);
  }
  await source.close();
});

test("what it cannot start with is one line", async () => {
  const taken = createServer();
  const { url: place, close } = await listen(taken);
  const { port: used } = taken.address() as AddressInfo;
  assert.is(String(used), place.port);
  const line = /^plm: --port: expected to listen on 127\.0\.0\.1:\d+, got EADDRINUSE\n$/;
  await assertFails(line, "serve", "--port", String(used), "--model", SMALL);
  await close();
  await assertFails(/^plm: .*no-such\.gguf/, "serve", "--port", "0", "--model", "no-such.gguf");
  await assertFails(/^plm: --port: expected an integer >= 0/, "serve", "--port", "x");
  await assertFails(/^plm: --port: .*70000/, "serve", "--port", "70000", "--model", SMALL);
  await assertFails(/^plm: --api-key-file: expected/, "serve", "--api-key-file", "no-such");
  await assertFails(/^plm: --api-key: expected at least one key/, "serve", "--api-key", " ");
});

test.run();
