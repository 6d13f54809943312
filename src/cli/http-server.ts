/** The sockets of `plm serve`: a handler of Requests behind node:http. */
import { createServer, type Server } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { PlmError } from "../errors.js";

const MOST_PORT = 65_535;

/** How long a client may take for its headers, and for a whole request. */
const HEADERS_MS = 20_000;
const REQUEST_MS = 120_000;

/** How long a socket may take nothing of what is written to it. */
const UNREAD_MS = 60_000;

/** How long an idle connection stays open. */
const KEEP_ALIVE_MS = 10_000;

/** How long the last answers may take to arrive when the server ends. */
const LAST_BYTES_MS = 2_000;

/** A server that listens. */
export interface Listener {
  readonly url: string;
  /**
   * Takes no new connections. Once all requests are answered, ends those that are left; resolves
   * when the last is closed.
   */
  close(answered: Promise<void>): Promise<void>;
}

/** Listens; port 0 is any that is free. Throws INVALID_ARGUMENT if that is not possible. */
export async function listen(
  handler: (request: Request) => Promise<Response>,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Listener> {
  if (port > MOST_PORT) {
    const message = `--port: expected an integer from 0 to ${MOST_PORT}, got ${port}`;
    throw new PlmError("INVALID_ARGUMENT", message);
  }
  const server = createServer(
    {
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 5_000,
      maxHeaderSize: 16 << 10,
      // The listener refuses those without one, with a body.
      requireHostHeader: false,
    },
    getRequestListener(handler, { overrideGlobalObjects: false, errorHandler: refuse }),
  );
  // One that waits for an answer is idle, too; only one that does not read has to go.
  server.setTimeout(UNREAD_MS, (socket) => {
    if (socket.writableLength > 0) socket.destroy();
  });
  server.on("clientError", refuseBytes);
  await start(server, host, port);
  const { port: taken } = server.address() as AddressInfo;
  const url = `http://${isIPv6(host) ? `[${host}]` : host}:${taken}`;
  return { url, close: (answered) => close(server, answered) };
}

async function close(server: Server, answered: Promise<void>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await answered;
  // What was answered may still be on its way; then a connection is idle.
  const idle = setInterval(() => server.closeIdleConnections(), 20);
  const last = setTimeout(() => server.closeAllConnections(), LAST_BYTES_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(last);
}

function start(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const got = cause.code ?? "an error";
      const message = `--port: expected to listen on ${host}:${port}, got ${got}`;
      reject(new PlmError("INVALID_ARGUMENT", message, { cause }));
    });
    server.listen(port, host, resolve);
  });
}

/** The answer to a request that cannot be made a Request, such as one with a wrong Host. */
function refuse(): Response {
  const body = errorOf("request: expected one with a valid host and path, got another");
  return new Response(body, { status: 400, headers: { "content-type": "application/json" } });
}

/** What Node says of bytes that are no request, and what they are answered with. */
const REFUSALS: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "expected smaller headers"],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "expected a whole request in time"],
};

/** Answers bytes that are no request. */
function refuseBytes({ code = "" }: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [status, message] = REFUSALS[code] ?? ["400 Bad Request", "expected HTTP"];
  const body = errorOf(`request: ${message}`);
  const head = [`HTTP/1.1 ${status}`, "Connection: close", "Content-Type: application/json"];
  const lines = [...head, `Content-Length: ${Buffer.byteLength(body)}`, "", body];
  socket.end(lines.join("\r\n"), () => socket.destroy());
}

function errorOf(message: string): string {
  const error = { message, type: "invalid_request_error", param: null, code: "invalid_request" };
  return JSON.stringify({ error });
}
