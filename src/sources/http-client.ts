/** Requests for files: the caller's headers and fetch, redirects, and when to try again. */
import platform from "#platform";
import { checkOptions } from "../brands.js";
import { kindOf } from "../describe.js";
import { invalidArgument, PlmError } from "../errors.js";
import { parseUrl, requireGlobal } from "../globals.js";
import { discard } from "./chunk-reader.js";
import { type HttpEnvironment, REAL_ENVIRONMENT } from "./http-environment.js";
import { type Fields, type HeaderFields, readHeaders } from "./http-headers.js";
import type { ResponseLike } from "./model-source.js";

/** The part of fetch that is used; the runtime's own fits. */
export type FetchLike = (
  url: string,
  init: {
    headers: Record<string, string>;
    signal?: AbortSignal;
    redirect?: "follow" | "manual";
    cache?: "no-store";
  },
) => Promise<ResponseLike>;

/** How URLs are requested. */
export interface HttpOptions {
  /**
   * Headers of every request, such as Authorization. They are not sent after a redirect to another
   * origin; browsers, which follow redirects themselves, leave out only Authorization.
   */
  headers?: HeaderFields;
  /** Called instead of the runtime's fetch. */
  fetch?: FetchLike;
}

const MOST_REDIRECTS = 20;

/** Makes requests with the caller's headers and fetch. */
export class HttpClient {
  readonly environment: HttpEnvironment;
  readonly #headers: Fields;
  readonly #fetch: FetchLike | undefined;

  /** Throws INVALID_ARGUMENT; the message never shows a header's value. */
  constructor(options: HttpOptions = {}, environment: HttpEnvironment = REAL_ENVIRONMENT) {
    checkOptions(options);
    const { headers, fetch } = options;
    if (fetch !== undefined && typeof fetch !== "function") {
      throw invalidArgument("fetch", "a function", kindOf(fetch));
    }
    this.environment = environment;
    this.#headers = readHeaders(headers);
    this.#fetch = fetch;
  }

  /** Whether bodies are the runtime's: nobody else has their chunks. */
  get hasOwnBodies(): boolean {
    return this.#fetch === undefined;
  }

  /** The same client with one more header. */
  withField(name: string, value: string): HttpClient {
    const headers = { ...this.#headers, [name]: value };
    const fetch = this.#fetch;
    return new HttpClient({ headers, ...(fetch !== undefined && { fetch }) }, this.environment);
  }

  /**
   * The answer to a GET with these headers and the caller's. Follows redirects itself if the caller
   * gave headers, to leave them out at another origin. Throws UNSUPPORTED_RUNTIME where there is no
   * fetch, UNREADABLE_FILE for a redirect that leads nowhere, and what fetch throws.
   */
  async get(url: URL, headers: Fields, signal: AbortSignal | undefined): Promise<ResponseLike> {
    // Not a method call: browsers' fetch refuses another `this`.
    const fetch: FetchLike = this.#fetch ?? requireGlobal("fetch");
    const send = async (place: URL, extra: Fields, redirect: "follow" | "manual") => {
      const all = { ...extra, ...headers };
      return checkResponse(await fetch(place.href, { headers: all, redirect, ...others }));
    };
    const others = {
      ...(signal !== undefined && { signal }),
      ...(platform.hasHttpCache && this.#fetch === undefined && { cache: "no-store" as const }),
    };
    let [own, place] = [this.#headers, url];
    if (Object.keys(own).length === 0) return send(url, own, "follow");
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const response = await send(place, own, "manual");
      // Browsers do not show the redirect's target.
      if ((response as { type?: string }).type === "opaqueredirect") {
        return send(place, own, "follow");
      }
      const target = targetOf(response, place);
      if (target === undefined) return response;
      discard(response.body);
      if (target.origin !== place.origin) own = {};
      place = target;
    }
    throw new PlmError("UNREADABLE_FILE", `${nameOf(url)}: over ${MOST_REDIRECTS} redirects`);
  }
}

/** A URL in a message: without credentials and query, which must not be shown. */
export function nameOf(url: URL): string {
  const isHttp = url.protocol === "http:" || url.protocol === "https:";
  return isHttp ? url.origin + url.pathname : `${url.protocol} URL`;
}

function checkResponse(response: ResponseLike): ResponseLike {
  if (typeof response?.status === "number" && typeof response.headers?.get === "function") {
    return response;
  }
  throw invalidArgument("fetch", "it to resolve to a Response", kindOf(response));
}

/** Where a redirect leads; undefined for any other answer. */
function targetOf({ status, headers }: ResponseLike, place: URL): URL | undefined {
  const location = headers.get("Location");
  if (![301, 302, 303, 307, 308].includes(status) || location === null) return undefined;
  let target: URL | undefined;
  try {
    target = parseUrl(location, place);
  } catch {}
  const isHttp = target?.protocol === "http:" || target?.protocol === "https:";
  const isOpen = target === undefined || target.username + target.password === "";
  if (target !== undefined && isHttp && isOpen) return target;
  const got = isOpen ? "another" : "one with credentials";
  const message = `${nameOf(place)}: expected a redirect to an http: or https: URL, got ${got}`;
  throw new PlmError("UNREADABLE_FILE", message);
}
