/** A local HTTP server for files that behaves as well or as badly as a test asks. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { listen } from "../../support/listen.js";

export interface ServerOptions {
  /** Whether Range requests get 206. Default true. */
  ranges?: boolean;
  /** Breaks each answer off after this many bytes. */
  breakAfterBytes?: number;
  /** Answers with at most this many bytes of the range, as a complete answer. */
  capBytes?: number;
  /** Whether the answer has no length. */
  chunked?: boolean;
  /** A different ETag for every request. */
  changing?: boolean;
  /**
   * Answers instead of the server, which counts requests from 1. Returns true if it has answered;
   * else the server answers, with the headers that were set.
   */
  instead?: (count: number, request: IncomingMessage, response: ServerResponse) => boolean;
}

export interface FileServer {
  url: URL;
  /** Range headers in the order of the requests; "" if there was none. */
  requests: string[];
  close(): Promise<void>;
}

/** Serves `files` by their paths on a free port of this machine. */
export async function serveFiles(
  files: Record<string, Uint8Array>,
  options: ServerOptions = {},
): Promise<FileServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.headers.range ?? "");
    if (options.instead?.(requests.length, request, response)) return;
    const file = files[new URL(request.url ?? "/", "http://localhost").pathname];
    if (file === undefined) response.writeHead(404).end();
    else answer(file, request, response, options, requests.length);
  });
  return { ...(await listen(server)), requests };
}

function answer(
  file: Uint8Array,
  request: IncomingMessage,
  response: ServerResponse,
  options: ServerOptions,
  count: number,
): void {
  const { ranges = true, breakAfterBytes, capBytes, chunked, changing } = options;
  const [, first] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
  const start = ranges ? Number(first ?? 0) : 0;
  if (start >= file.length) {
    response.writeHead(416).end();
    return;
  }
  const end = Math.min(file.length, start + (capBytes ?? file.length));
  const body = file.subarray(start, end);
  if (ranges && first !== undefined) {
    response.statusCode = 206;
    if (!response.hasHeader("Content-Range")) {
      response.setHeader("Content-Range", `bytes ${start}-${end - 1}/${file.length}`);
    }
  }
  if (!response.hasHeader("ETag")) {
    response.setHeader("ETag", changing ? `"${count}"` : '"same"');
  }
  if (!chunked) response.setHeader("Content-Length", body.length);
  if (breakAfterBytes === undefined || breakAfterBytes >= body.length) {
    response.end(body);
    return;
  }
  response.write(body.subarray(0, breakAfterBytes), () => response.destroy());
}
