/** Whether a name is a path or a URL, and which files it means. */
import platform from "#platform";
import { invalidArgument, PlmError, quote } from "../errors.js";
import { parseUrl } from "../globals.js";
import type { FileSource, UrlLike } from "./model-source.js";

/** A path or a URL. */
export type Place = string | URL;

/** How a name must start to be a URL where there are files. */
const URL_START = /^(?:https?:\/\/|file:|data:|blob:)/i;

/** A name that starts like a URL, and a Windows path, which does too. */
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const DRIVE = /^[a-z]:(?:[\\/]|$)/i;

/**
 * A name as a URL, or unchanged if it is a path. Where there are files, only the supported schemes
 * make a URL, since names may have colons: model:latest.gguf. Elsewhere a name is a URL relative to
 * the page, even with a colon, unless "//" follows it. Throws INVALID_ARGUMENT for a name that is
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
    // Cut short, since it may have credentials.
    const start = quote(/^[^/?#@]*/.exec(name)?.[0] ?? "");
    const got = `neither: ${start}...`;
    throw invalidArgument("source", "a path or URL", got, { cause });
  }
}

/** The addition to a message about an unreadable path that looks like a URL. */
export function adviceFor(path: string): string {
  const scheme = DRIVE.test(path) ? undefined : SCHEME.exec(path)?.[0];
  if (scheme === undefined) return "";
  const expected = "http:, https:, file:, data:, blob:, hf:owner/repo";
  return `; nor is it a URL that can be read: expected ${expected}, got ${scheme}`;
}

/** Whether the value is a URL of any realm or a page's location. */
export function isUrl(value: FileSource): value is UrlLike {
  const { href, protocol, pathname } = Object(value) as Partial<UrlLike>;
  return [href, protocol, pathname].every((part) => typeof part === "string");
}

/** All parts of the split file that the place is a part of; else the place alone. */
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
