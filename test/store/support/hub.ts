/** A hub on this machine, and a server of single files, as good or as bad as a test asks. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { listen } from "../../support/listen.js";

const PIECE_BYTES = 1 << 16;

/** A request and its answer, so far without either. */
export interface Exchange {
  /** Requests of this file so far, from 1. */
  readonly count: number;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The requested range; `last` is the file's last byte if the request is open. */
  readonly first: number;
  readonly last: number;
}

/** Answers in its own way; false leaves the answer to the server, with headers that were set. */
export type Fault = (exchange: Exchange) => boolean | Promise<boolean>;

export interface Hub {
  readonly url: URL;
  /** "PATH RANGE" of each request for a file. */
  readonly requests: string[];
  /** The authorization of each request. */
  readonly tokens: (string | undefined)[];
  /** Bytes of files that were sent. */
  sentBytes: number;
  /** May be changed while the hub runs. */
  files: Record<string, Uint8Array>;
  fault: Fault | undefined;
  close(): Promise<void>;
}

/** Serves files of the repository "owner/repo" as the hub does: its API, and the files. */
export async function serveHub(files: Record<string, Uint8Array>): Promise<Hub> {
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    hub.tokens.push(request.headers.authorization);
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://h").pathname);
    if (path.startsWith("/api/models/owner/repo/")) {
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ siblings: Object.entries(hub.files).map(sibling) }));
      return;
    }
    const name = path.replace(/^\/owner\/repo\/resolve\/[^/]+\//, "").replace(/^\//, "");
    const file = hub.files[name];
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    const { range = "" } = request.headers;
    hub.requests.push(`${name} ${range.replace("bytes=", "")}`);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
    const first = Number(from ?? 0);
    const last = to ? Math.min(Number(to), file.length - 1) : file.length - 1;
    const exchange = { count: counts.get(name)!, request, response, first, last };
    if (hub.fault !== undefined && (await hub.fault(exchange))) return;
    if (!response.hasHeader("ETag")) response.setHeader("ETag", '"same"');
    response.setHeader("Content-Length", last - first + 1);
    if (from !== undefined) {
      response.statusCode = 206;
      response.setHeader("Content-Range", `bytes ${first}-${last}/${file.length}`);
    }
    // The client may leave when it has enough.
    await pipeline(piecesOf(file.subarray(first, last + 1)), response).catch(() => undefined);
  };
  function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      hub.sentBytes += piece.length;
      yield piece;
    }
  }
  const hub: Hub = {
    ...(await listen(server)),
    ...{ requests: [], tokens: [], sentBytes: 0, files, fault: undefined },
  };
  return hub;
}

/** What the hub's API says of a file. */
function sibling([rfilename, bytes]: [string, Uint8Array]): object {
  return { rfilename, size: bytes.length, lfs: { sha256: sha256Of(bytes), size: bytes.length } };
}

/** In hexadecimal. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
