/** A handler over the small model, and how tests ask it. */
import * as assert from "uvu/assert";
import { type LoadModelOptions, loadModel } from "../../../src/generation/load-model.js";
import type { Model } from "../../../src/generation/model.js";
import { createHandler, type Handler, type HandlerOptions } from "../../../src/server/index.js";

/** The small model; ended sequences hold no pages, so that tests can count them. */
export function loadSmall(options: LoadModelOptions = {}): Promise<Model> {
  return loadModel("models/plm-test.gguf", { prefixCache: false, cacheTokens: 2048, ...options });
}

/** A handler of a model, once it has seen that it is loaded. */
export async function serve(
  model: Model,
  options: Omit<HandlerOptions, "model"> = {},
): Promise<Handler> {
  const handler = createHandler({ model, ...options });
  await Promise.resolve();
  return handler;
}

/** What a test asks for. */
export interface Asking {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** The request of a path, with a body as JSON, or as it is if it is a text or bytes. */
export function request(path: string, body?: unknown, options: Asking = {}): Request {
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  return new Request(`http://localhost${path}`, {
    method: body === undefined ? "GET" : "POST",
    ...(body !== undefined && { body: (isRaw ? body : JSON.stringify(body)) as BodyInit }),
    ...options,
  });
}

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes
export type Json = any;

/** The JSON of an answer that must be 200. */
export async function ask(handler: Handler, path: string, body?: unknown): Promise<Json> {
  const response = await handler(request(path, body));
  const text = await response.text();
  assert.is(response.status, 200, text);
  return JSON.parse(text);
}

/** The error of an answer of a status, in OpenAI's shape, which it must have exactly. */
export async function refusal(
  handler: Handler,
  status: number,
  path: string,
  body?: unknown,
): Promise<Json> {
  const response = await handler(request(path, body));
  const text = await response.text();
  assert.is(response.status, status, text);
  const { error, ...others } = JSON.parse(text);
  assert.equal(others, {});
  assert.equal(Object.keys(error).sort(), ["code", "message", "param", "type"]);
  return error;
}

/** The data of server-sent events. The stream must end with `[DONE]`, which is left out. */
export async function chunks(handler: Handler, path: string, body: object): Promise<Json[]> {
  const lines = (await streamed(handler, path, body)).split("\n\n");
  assert.equal(lines.slice(-2), ["data: [DONE]", ""]);
  return lines.slice(0, -2).map((line) => {
    assert.ok(line.startsWith("data: "), line);
    return JSON.parse(line.slice("data: ".length));
  });
}

/** The text of a stream. */
export async function streamed(handler: Handler, path: string, body: object): Promise<string> {
  const response = await handler(request(path, { ...body, stream: true }));
  const text = await response.text();
  assert.is(response.status, 200, text);
  return text;
}

/** Waits until a condition holds, at most some seconds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(condition(), String(condition));
}

/** A stream of completions that goes on until the context is full. */
export const ENDLESS = { prompt: "Once upon a time", ignore_eos: true, stream: true } as const;

/** Reads one piece of such a stream, and leaves it open. */
export async function openStream(
  handler: (request: Request) => Promise<Response>,
): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const response = await handler(request("/v1/completions", ENDLESS));
  assert.is(response.status, 200);
  const reader = response.body!.getReader();
  await reader.read();
  return reader;
}
