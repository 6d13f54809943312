/** The sockets of `plm serve`: a handler of Requests behind node:http. */
import { createServer, type Server } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { PlmError } from "../errors.js";

/** How long a client may take for its headers, and for a whole request. */
const HEADERS_MS = 20_000;
const REQUEST_MS = 120_000;

/** How long a socket may take nothing of what is written to it. */
const UNREAD_MS = 60_000;

/** How long an idle connection stays open. */
const KEEP_ALIVE_MS = 10_000;

/** A server that listens. */
export interface Listener {
  readonly url: string;
  /** Takes no new connections, and ends idle ones; resolves when the last is closed. */
  close(): Promise<void>;
  /** Ends idle connections. */
  closeIdle(): void;
}

/** Listens; port 0 is any that is free. Throws INVALID_ARGUMENT if that is not possible. */
export async function listen(
  handler: (request: Request) => Promise<Response>,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Listener> {
  const server = createServer(
    {
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 5_000,
      maxHeaderSize: 16 << 10,
    },
    getRequestListener(handler, { overrideGlobalObjects: false, errorHandler: refuse }),
  );
  // One that waits for an answer is idle, too; only one that does not read has to go.
  server.setTimeout(UNREAD_MS, (socket) => {
    if (socket.writableLength > 0) socket.destroy();
  });
  await start(server, host, port);
  const { port: taken } = server.address() as AddressInfo;
  const closeIdle = (): void => server.closeIdleConnections();
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      closeIdle();
    });
  return { url: `http://${isIPv6(host) ? `[${host}]` : host}:${taken}`, close, closeIdle };
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
  const message = "request: expected one with a valid host and path, got another";
  const error = { message, type: "invalid_request_error", param: null, code: "invalid_request" };
  return Response.json({ error }, { status: 400 });
}
