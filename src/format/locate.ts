/** Whether a name is a path or a URL, and which other files it stands for. */
import platform from "#platform";
import { invalidArgument, PlmError, quote } from "../errors.js";
import { parseUrl } from "../globals.js";
import type { FileSource, UrlLike } from "./model-source.js";

/** A path or a URL. */
export type Place = string | URL;

/** What a name must start with to be a URL where there are files. */
const URL_START = /^(?:https?:\/\/|file:|data:|blob:)/i;

/** What starts like a URL, and a path of Windows, which does too. */
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const DRIVE = /^[a-z]:(?:[\\/]|$)/i;

/**
 * A name as a URL, or as it is if it is a path. Where there are files, only the schemes that are
 * read make a URL, as names may have colons: model:latest.gguf. Elsewhere a name is a URL relative
 * to the page, also if it has a colon but no "//" after it. Throws INVALID_ARGUMENT for what is
 * neither.
 */
export function locate(name: string): Place {
  if (name === "") {
    throw invalidArgument("source", "a path or URL", '""');
  }
  if (DRIVE.test(name) || (platform.hasFiles && !URL_START.test(name))) return name;
  const isRelative = SCHEME.test(name) && !URL_START.test(name) && !/^[^/]*:\/\//.test(name);
  try {
    const base = globalThis.location?.href;
    return parseUrl(isRelative ? `./${name}` : name, base);
  } catch (cause) {
    if (PlmError.from(cause)?.code === "UNSUPPORTED_RUNTIME") throw cause;
    // Not the whole of it: it may have credentials.
    const start = quote(/^[^/?#@]*/.exec(name)?.[0] ?? "");
    const got = `what is neither: ${start}...`;
    throw invalidArgument("source", "a path or URL", got, { cause });
  }
}

/** What to add to a message about a path that cannot be opened and looks like a URL. */
export function adviceFor(path: string): string {
  const scheme = DRIVE.test(path) ? undefined : SCHEME.exec(path)?.[0];
  if (scheme === undefined) return "";
  const expected = "http:, https:, file:, data:, blob:";
  return `; nor is it a URL that can be read: expected ${expected}, got ${scheme}`;
}

/** Whether it is a URL, of whichever realm: a page's location is as good. */
export function isUrl(value: FileSource): value is UrlLike {
  const { href, protocol, pathname } = Object(value) as Partial<UrlLike>;
  return [href, protocol, pathname].every((part) => typeof part === "string");
}

/** All parts of a split file of which one is named; else the one place. */
export function partsOf(place: Place): Place[] {
  const isPath = typeof place === "string";
  const pattern = /^(.*-)(\d{5})-of-(\d{5})\.gguf$/s;
  const [, stem, number, count] = pattern.exec(isPath ? place : place.pathname) ?? [];
  if (count === undefined || Number(number) < 1 || Number(number) > Number(count)) return [place];
  return Array.from({ length: Number(count) }, (_, i) => {
    const part = `${stem}${String(i + 1).padStart(5, "0")}-of-${count}.gguf`;
    if (isPath) return part;
    const url = parseUrl(place.href);
    url.pathname = part;
    return url;
  });
}
