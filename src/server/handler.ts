/** The server as one function from Request to Response; routes in routes.ts. */
import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import { reasonOf } from "../errors.js";
import { requireGlobal } from "../globals.js";
import { createKeyCheck, type KeyCheck } from "./api-keys.js";
import { readJson } from "./body.js";
import { Fields } from "./fields.js";
import { HttpError, toHttpError } from "./http-error.js";
import {
  type HandlerOptions,
  type ResolvedHandlerOptions,
  resolveHandlerOptions,
} from "./options.js";
import {
  type ErrorShape,
  errorResponse,
  jsonResponse,
  type StreamForm,
  streamResponse,
  textResponse,
} from "./reply.js";
import { ROUTES, type Route } from "./routes.js";
import { hangUp, Serving } from "./serving.js";

/** A server that runs wherever there is a Request and a Response. */
export interface Handler {
  (request: Request): Promise<Response>;
  /**
   * Refuses new requests and those that wait, with 503; resolves when what runs is answered. The
   * model is the caller's to dispose of.
   */
  close(): Promise<void>;
}

const openAiShape: ErrorShape = (error) => error.toBody();
const ollamaShape: ErrorShape = ({ message }) => ({ error: message });
const shapeOf = (path: string): ErrorShape =>
  path.startsWith("/api/") ? ollamaShape : openAiShape;

/**
 * A handler that answers OpenAI's, llama-server's and Ollama's requests with a model
 * (docs/server.md lists routes and fields). Throws INVALID_ARGUMENT for wrong options.
 */
export function createHandler(options: HandlerOptions): Handler {
  const resolved = resolveHandlerOptions(options);
  const serving = new Serving(resolved);
  const app = new Hono({ strict: false });
  if (resolved.cors.length > 0) {
    const origin = resolved.cors === "*" ? "*" : [...resolved.cors];
    app.use(cors({ origin, exposeHeaders: ["retry-after"] }));
  }
  const checkKey = createKeyCheck(resolved.apiKeys);
  const parts: HandlerParts = { serving, options: resolved, checkKey };
  for (const route of ROUTES) {
    app.on(route.method, route.path, (context) => run(route, context, parts));
  }
  for (const path of new Set(ROUTES.map((route) => route.path))) {
    const methods = ROUTES.filter((route) => route.path === path).map(({ method }) => method);
    app.all(path, ({ req }) => {
      const allow = methods.join(", ");
      const message = `${req.method.slice(0, 20)} ${path}: expected ${allow}`;
      throw new HttpError(405, message, { allow, code: "method_not_allowed" });
    });
  }
  app.notFound(() => {
    throw new HttpError(404, "path: expected one of this server, got another", {
      code: "not_found",
    });
  });
  // Errors of routes are answered there; these are of requests that no route takes.
  app.onError((error, { req }) => {
    const failure = toHttpError(error, new Map());
    report(resolved, serving, { method: req.method, route: null, status: failure.status });
    return errorResponse(failure, shapeOf(req.path));
  });
  const handler = async (request: Request): Promise<Response> => app.fetch(request);
  return Object.assign(handler, { close: () => serving.close() });
}

/** What a handler is made of. */
interface HandlerParts {
  readonly serving: Serving;
  readonly options: ResolvedHandlerOptions;
  readonly checkKey: KeyCheck;
}

/** Answers a request of a route. */
async function run(
  route: Route,
  { req }: Context,
  { serving, options, checkKey }: HandlerParts,
): Promise<Response> {
  const { clock } = options;
  const startMs = clock.now();
  const counts = { promptTokens: 0, cachedTokens: 0, completionTokens: 0 };
  const controller = new (requireGlobal("AbortController"))();
  const { signal } = req.raw;
  const onAbort = (): void => controller.abort(hangUp());
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  const done = serving.begin();
  let error: string | undefined;
  const finish = (status: number, isStream: boolean, isAborted: boolean): void => {
    signal.removeEventListener("abort", onAbort);
    const about = { method: req.method, route: labelOf(route), status, stream: isStream };
    const entry = { ...about, ...(error !== undefined && { error }) };
    const durationMs = Math.round(clock.now() - startMs);
    report(options, serving, { ...entry, ...counts, durationMs, aborted: isAborted });
    done();
  };
  const names = new Map<string, string>();
  const shape = shapeOf(route.path);
  try {
    if (!route.isOpen) checkKey(req.raw.headers);
    await serving.load(controller.signal);
    if (!route.isOpen) serving.checkReady();
    const body = route.method === "GET" ? {} : await readJson(req.raw, options.maxBodyBytes);
    const fields = new Fields(body, "", names);
    const context = { serving, signal: controller.signal, counts };
    const reply = await route.answer(fields, context, req.param());
    if ("events" in reply && reply.form === "json") {
      const { value } = await reply.events.next();
      await reply.events.return();
      finish(200, false, controller.signal.aborted);
      return jsonResponse(value!);
    }
    if ("events" in reply) {
      const abort = (reason: unknown): void => controller.abort(reason);
      const onEnd = (isAborted: boolean): void =>
        finish(200, true, isAborted || controller.signal.aborted);
      const form = reply.form as StreamForm;
      const { stallTimeoutMs } = options;
      const how = { form, names, shape, clock, stallTimeoutMs, abort, onEnd };
      return await streamResponse(reply.events, how);
    }
    if ("text" in reply) {
      finish(200, false, false);
      return textResponse(reply.text, reply.contentType);
    }
    const { status = 200 } = reply;
    finish(status, false, false);
    return jsonResponse(reply.body, status);
  } catch (thrown) {
    const failure = toHttpError(thrown, names);
    if (failure.status >= 500) error = reasonOf(failure.cause ?? thrown);
    finish(failure.status, false, controller.signal.aborted);
    return errorResponse(failure, shape);
  }
}

/** A route as it is logged: its path without patterns. */
function labelOf({ path }: Route): string {
  return path.replace(/\{.*\}/, "");
}

/** Counts and logs a request. */
function report(
  { log, clock }: ResolvedHandlerOptions,
  { metrics }: Serving,
  entry: Partial<Parameters<NonNullable<ResolvedHandlerOptions["log"]>>[0]> & {
    readonly method: string;
    readonly route: string | null;
    readonly status: number;
  },
): void {
  metrics.addRequest(entry.route, entry.status);
  log?.({
    time: new Date(clock.date()).toISOString(),
    ...{ durationMs: 0, stream: false, aborted: false },
    ...{ promptTokens: 0, cachedTokens: 0, completionTokens: 0 },
    ...entry,
  });
}
