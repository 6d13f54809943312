/** What a route comes to: one JSON value, or a stream of them; and the Response that carries it. */
import type { Clock } from "../clock.js";
import { requireGlobal } from "../globals.js";
import { type HttpError, toHttpError } from "./http-error.js";
import { hangUp } from "./serving.js";

/** How objects are written. */
export type StreamForm =
  /** Server-sent events, then `[DONE]`. */
  | "sse"
  /** Server-sent events, each named by its `type`. */
  | "named-sse"
  /** JSON lines. */
  | "ndjson";

/** The answer of a route. */
export type Reply =
  | { readonly body: object; readonly status?: number }
  | { readonly text: string; readonly contentType: string }
  /** The only event of the form "json" is the body. */
  | { readonly events: AsyncGenerator<object, void>; readonly form: StreamForm | "json" };

/** What an error looks like to a family of clients. */
export type ErrorShape = (error: HttpError) => object;

/** How a stream is sent. */
export interface StreamOptions {
  readonly form: StreamForm;
  readonly names: ReadonlyMap<string, string>;
  readonly shape: ErrorShape;
  readonly clock: Clock;
  readonly stallTimeoutMs: number;
  /** Makes what the stream shows end. */
  readonly abort: (reason: unknown) => void;
  /** Called when the stream is over; true if the client hung up. */
  readonly onEnd: (isAborted: boolean) => void;
}

const CONTENT_TYPES: Readonly<Record<StreamForm, string>> = {
  sse: "text/event-stream; charset=utf-8",
  "named-sse": "text/event-stream; charset=utf-8",
  ndjson: "application/x-ndjson",
};

/** A Response with a JSON body. */
export function jsonResponse(body: object, status = 200, headers: HeadersInit = {}): Response {
  return textResponse(JSON.stringify(body), "application/json", status, headers);
}

/** A Response with a text. */
export function textResponse(
  text: string,
  contentType: string,
  status = 200,
  headers: HeadersInit = {},
): Response {
  const init = { status, headers: { "content-type": contentType, ...headers } };
  return new (requireGlobal("Response"))(text, init);
}

/** A Response with an error. */
export function errorResponse(error: HttpError, shape: ErrorShape): Response {
  const { retryAfter, allow } = error.details;
  return jsonResponse(shape(error), error.status, {
    ...(retryAfter !== undefined && { "retry-after": String(retryAfter) }),
    ...(allow !== undefined && { allow }),
    ...(error.status === 401 && { "www-authenticate": "Bearer" }),
  });
}

/**
 * A Response with a stream of events. Waits for the first, and rejects if that fails, so that the
 * status can say so; a later error is the stream's last event.
 */
export async function streamResponse(
  events: AsyncGenerator<object, void>,
  options: StreamOptions,
): Promise<Response> {
  let next: Promise<IteratorResult<object, void>> | undefined = events.next();
  await next;
  const { form, clock, stallTimeoutMs, abort, onEnd } = options;
  const encoder = new (requireGlobal("TextEncoder"))();
  let isOver = false;
  let isLeft = false;
  let unwatch = (): void => {};
  const end = (isAborted: boolean): void => {
    unwatch();
    if (!isOver) onEnd(isAborted);
    isOver = true;
  };
  const leave = async (reason: unknown): Promise<void> => {
    isLeft = true;
    abort(reason);
    await events.return().catch(() => {});
    end(true);
  };
  const stream = new (requireGlobal("ReadableStream"))<Uint8Array>(
    {
      async pull(controller) {
        unwatch();
        let text = "";
        try {
          const step = await (next ?? events.next());
          next = undefined;
          if (isLeft) return;
          text = step.done ? endOf(form) : frameOf(step.value, form);
          if (step.done) end(false);
        } catch (error) {
          if (isLeft) return;
          text = failureOf(error, options);
          end(false);
        }
        if (text !== "") controller.enqueue(encoder.encode(text));
        if (isOver) return controller.close();
        unwatch = clock.after(stallTimeoutMs, () => {
          const reason = hangUp();
          void leave(reason);
          controller.error(reason);
        });
      },
      cancel: leave,
    },
    { highWaterMark: 1 },
  );
  const headers = {
    "content-type": CONTENT_TYPES[form],
    "cache-control": "no-cache",
    // Proxies pass it on as it comes.
    "x-accel-buffering": "no",
  };
  return new (requireGlobal("Response"))(stream, { headers });
}

function frameOf(event: object, form: StreamForm): string {
  const json = JSON.stringify(event);
  if (form === "ndjson") return `${json}\n`;
  const { type } = event as { type?: string };
  return form === "named-sse" ? `event: ${type}\ndata: ${json}\n\n` : `data: ${json}\n\n`;
}

function endOf(form: StreamForm): string {
  return form === "sse" ? "data: [DONE]\n\n" : "";
}

/** The last event of a stream that fails. */
function failureOf(error: unknown, { form, names, shape }: StreamOptions): string {
  const failure = toHttpError(error, names);
  if (form !== "named-sse") return frameOf(shape(failure), form);
  const { code } = failure.details;
  const event = { type: "error", code: code ?? failure.type, message: failure.message };
  return frameOf({ ...event, param: failure.details.param ?? null }, form);
}
