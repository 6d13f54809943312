/** Fields of HTTP answers, read as RFC 9110 defines them. */
import type { ResponseLike } from "./model-source.js";

type AnswerFields = ResponseLike["headers"];

/** Which bytes an answer has, of how many: section 14.4. Undefined if it does not say. */
export interface ContentRange {
  /** The first and the last byte; undefined for a range that cannot be satisfied. */
  readonly first?: number;
  readonly last?: number;
  readonly total: number | undefined;
}

/** The field's value; undefined if it is not a byte range. Units are case-insensitive. */
export function parseContentRange(value: string): ContentRange | undefined {
  const pattern = /^\s*bytes\s+(?:(\d+)\s*-\s*(\d+)|\*)\s*\/\s*(?:(\d+)|\*)\s*$/i;
  const [found, first, last, total] = pattern.exec(value) ?? [];
  if (found === undefined) return undefined;
  const size = total === undefined ? undefined : Number(total);
  if (first === undefined) return size === undefined ? undefined : { total: size };
  const isOrdered = Number(first) <= Number(last) && Number(last) < (size ?? Infinity);
  return isOrdered ? { first: Number(first), last: Number(last), total: size } : undefined;
}

/** The codings of an answer's body, in lower case; none for "identity": section 8.4. */
export function contentCodings(fields: AnswerFields): string[] {
  const list = (fields.get("Content-Encoding") ?? "").toLowerCase().split(",");
  return list.map((coding) => coding.trim()).filter((coding) => !["", "identity"].includes(coding));
}

/** The length of an unencoded body, in bytes; undefined if it is not known. */
export function contentLength(fields: AnswerFields): number | undefined {
  if (contentCodings(fields).length > 0) return undefined;
  const value = fields.get("Content-Length")?.trim() ?? "";
  return /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** An answer's media type in lower case, without parameters; "" if there is none. */
export function mediaType(fields: AnswerFields): string {
  return (fields.get("Content-Type") ?? "").split(";")[0].trim().toLowerCase();
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** Milliseconds since 1970 of a date in any of the three forms of section 5.6.7, or undefined. */
function parseHttpDate(value: string, nowMs: number): number | undefined {
  const time = "(?<time>\\d\\d:\\d\\d:\\d\\d)";
  const forms = [
    `\\w{3}, (?<day>\\d\\d) (?<month>\\w{3}) (?<year>\\d{4}) ${time} GMT`,
    `\\w{6,9}, (?<day>\\d\\d)-(?<month>\\w{3})-(?<year>\\d\\d) ${time} GMT`,
    `\\w{3} (?<month>\\w{3}) (?<day>[ \\d]\\d) ${time} (?<year>\\d{4})`,
  ];
  for (const form of forms) {
    const fields = new RegExp(`^\\s*${form}\\s*$`).exec(value)?.groups;
    if (fields === undefined || !MONTHS.includes(fields.month)) continue;
    const year = fullYear(fields.year, nowMs);
    const [hours, minutes, seconds] = fields.time.split(":").map(Number);
    const month = MONTHS.indexOf(fields.month);
    return Date.UTC(year, month, Number(fields.day), hours, minutes, seconds);
  }
  return undefined;
}

/** A two-digit year that would lie over 50 years ahead is in the past. */
function fullYear(digits: string, nowMs: number): number {
  if (digits.length === 4) return Number(digits);
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + Number(digits);
  return year > thisYear + 50 ? year - 100 : year;
}

/** The wait that the server asks for, in milliseconds: section 10.2.3. Undefined if it does not. */
export function retryAfterMs(fields: AnswerFields, nowMs: number): number | undefined {
  const value = fields.get("Retry-After")?.trim() ?? "";
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = parseHttpDate(value, nowMs);
  if (date === undefined) return undefined;
  // By the server's own clock if it gives the time.
  const startMs = parseHttpDate(fields.get("Date") ?? "", nowMs) ?? nowMs;
  return Math.max(0, date - startMs);
}

/** What distinguishes one state of a file from another: section 8.8. */
export interface Validators {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
  readonly size: number | undefined;
}

/** An answer's validators and the size of the whole file. */
export function validatorsOf(fields: AnswerFields, size: number | undefined): Validators {
  const [etag, lastModified] = ["ETag", "Last-Modified"].map((name) => fields.get(name)?.trim());
  return { etag: etag || undefined, lastModified: lastModified || undefined, size };
}

/**
 * Whether two answers have the same file: true or false by entity tags if both have one, else by
 * dates, else by sizes; undefined if there is nothing to compare. Tags compare weakly (section
 * 8.8.3.2), since compressing servers weaken them; different sizes always decide.
 */
export function isSameFile(a: Validators, b: Validators, nowMs: number): boolean | undefined {
  const bySize = a.size === undefined || b.size === undefined ? undefined : a.size === b.size;
  if (bySize === false) return false;
  if (a.etag !== undefined && b.etag !== undefined) return opaqueTag(a.etag) === opaqueTag(b.etag);
  if (a.lastModified !== undefined && b.lastModified !== undefined) {
    const [first, second] = [a.lastModified, b.lastModified].map(
      (date) => parseHttpDate(date, nowMs) ?? date,
    );
    return first === second;
  }
  return bySize;
}

/** An entity tag without the weakness mark, which is case-sensitive. */
function opaqueTag(etag: string): string {
  return etag.replace(/^W\//, "");
}
