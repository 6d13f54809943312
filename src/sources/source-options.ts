/** The options of opening sources, with their defaults and checks. */
import platform from "#platform";
import { describeValue, kindOf } from "../describe.js";
import { invalidArgument } from "../errors.js";
import { parseUrl } from "../globals.js";
import type { HttpOptions } from "./http-client.js";
import { readHeaders } from "./http-headers.js";

/** How what a name stands for is found and downloaded. */
export interface SourceOptions extends HttpOptions {
  /**
   * Whether a downloaded model is kept and, once whole, read without a request: on disk in the
   * user's cache folder, in browsers in the origin private file system or the Cache API. Default:
   * true for `hf:` names, false for URLs. A store that is full or missing is done without.
   */
  store?: boolean;
  /** The address of the Hugging Face hub. Default: HF_ENDPOINT, else https://huggingface.co. */
  hub?: string;
  /** An access token, which only the hub is sent. Default: HF_TOKEN. */
  token?: string;
  /** What a file behind a URL must hash to, in hexadecimal; the hub says it by itself. */
  sha256?: string;
  /** Most requests for one file at a time. Default 4. */
  connections?: number;
}

/** The options, checked. */
export interface ResolvedSourceOptions {
  readonly store: boolean | undefined;
  readonly sha256: string | undefined;
  readonly connections: number;
}

/** Browsers allow six connections per server. */
const MOST_CONNECTIONS = 32;
const DEFAULT_CONNECTIONS = 4;

const DEFAULT_HUB = "https://huggingface.co";

/** Throws INVALID_ARGUMENT; no message shows the token. */
export function resolveSourceOptions(options: SourceOptions): ResolvedSourceOptions {
  const { store, hub, token, sha256, connections = DEFAULT_CONNECTIONS } = options;
  if (store !== undefined && typeof store !== "boolean") {
    throw invalidArgument("store", "true or false", kindOf(store));
  }
  if (hub !== undefined) readHub(hub);
  if (token !== undefined) readToken(token);
  if (sha256 !== undefined && !/^[\da-f]{64}$/i.test(String(sha256))) {
    throw invalidArgument("sha256", "64 hexadecimal digits", describeValue(sha256));
  }
  const isCount = Number.isInteger(connections) && connections >= 1;
  if (!isCount || connections > MOST_CONNECTIONS) {
    const expected = `an integer from 1 to ${MOST_CONNECTIONS}`;
    throw invalidArgument("connections", expected, describeValue(connections));
  }
  return { store, sha256: sha256?.toLowerCase(), connections };
}

/** Where the hub is, and what it is sent. */
export interface Hub {
  readonly url: URL;
  readonly token: string | undefined;
}

/** The hub of the options, else of the environment. Throws INVALID_ARGUMENT. */
export function resolveHub(options: SourceOptions): Hub {
  const url = readHub(options.hub ?? platform.environment("HF_ENDPOINT") ?? DEFAULT_HUB);
  const token = options.token ?? platform.environment("HF_TOKEN");
  return { url, token: token === undefined ? undefined : readToken(token) };
}

function readToken(token: unknown): string {
  if (typeof token === "string" && /^[\x21-\x7e]+$/.test(token)) return token;
  throw invalidArgument("token", "visible ASCII characters", "something else");
}

function readHub(hub: unknown): URL {
  const expected = "an http: or https: URL without credentials";
  if (typeof hub !== "string") throw invalidArgument("hub", expected, kindOf(hub));
  let url: URL | undefined;
  try {
    url = parseUrl(hub);
  } catch {}
  const isHttp = url !== undefined && /^https?:$/.test(url.protocol);
  if (isHttp && url!.username + url!.password === "") return url!;
  throw invalidArgument("hub", expected, "another");
}

/** The options as plain data, which a worker can be sent. Throws as resolveSourceOptions does. */
export function plainSourceOptions(options: SourceOptions): SourceOptions {
  resolveSourceOptions(options);
  const { headers, store, hub, token, sha256, connections } = options;
  return {
    headers: readHeaders(headers),
    ...(store !== undefined && { store }),
    ...(hub !== undefined && { hub }),
    ...(token !== undefined && { token }),
    ...(sha256 !== undefined && { sha256 }),
    ...(connections !== undefined && { connections }),
  };
}
