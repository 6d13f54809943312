/** The lines of a batch file, in OpenAI's format: a request each. */
import { describeValue } from "../../describe.js";
import { quote } from "../../errors.js";
import { type FileLine, splitLines } from "./split-lines.js";

/** The longest line that is read. */
export const MOST_LINE_BYTES: number = 16 << 20;

/** Where a line may send its request. */
const URLS = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings"];

/** What a line asks of the server. */
export interface BatchRequest {
  readonly url: string;
  /** A JSON object. */
  readonly body: string;
}

/** What tells lines apart: the custom_id, or the number of a line that has none of its own. */
export type LineKey = string | number;

/** A line of a batch file: a request, or what is wrong with the line. */
export type BatchLine = {
  /** Counted from 1. */
  readonly number: number;
  /** Null for a line that has none, or that of an earlier line. */
  readonly customId: string | null;
} & ({ readonly request: BatchRequest } | { readonly problem: string });

export function keyOf({ customId, number }: BatchLine): LineKey {
  return customId ?? number;
}

/**
 * The lines of a batch file, without empty ones. Broken lines say what is wrong with them. Throws
 * UNREADABLE_FILE.
 */
export async function* readBatch(path: string): AsyncGenerator<BatchLine, void> {
  /** The line that has a custom_id. */
  const owners = new Map<string, number>();
  for await (const line of splitLines(path, "in", MOST_LINE_BYTES)) {
    const parsed = parseLine(line);
    if (parsed === undefined) continue;
    const { number, customId } = parsed;
    const owner = customId === null ? undefined : owners.get(customId);
    if (owner !== undefined) {
      const got = `${quote(customId!)}, which line ${owner} has`;
      const problem = problemOf(number, "custom_id", "one of its own", got);
      yield { number, customId: null, problem };
      continue;
    }
    if (customId !== null) owners.set(customId, number);
    yield parsed;
  }
}

function problemOf(number: number, name: string, expected: string, got: string): string {
  return `line ${number}: ${name}: expected ${expected}, got ${got}`;
}

/** A line by itself; undefined for an empty one. */
function parseLine({ number, bytes }: FileLine): BatchLine | undefined {
  let customId: string | null = null;
  const broken = (name: string, expected: string, got: string): BatchLine => {
    return { number, customId, problem: problemOf(number, name, expected, got) };
  };
  if (bytes === undefined) return broken("text", `at most ${MOST_LINE_BYTES} bytes`, "more");
  let text: string;
  try {
    // A byte order mark is left out.
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes).trim();
  } catch {
    return broken("text", "UTF-8", "other bytes");
  }
  if (text === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return broken("text", "JSON", "a text that is none");
  }
  if (!isObject(value)) return broken("text", "a JSON object", describeValue(value));
  const { custom_id, method, url, body } = value;
  if (typeof custom_id !== "string" || custom_id === "") {
    return broken("custom_id", "a text that is not empty", describeValue(custom_id));
  }
  customId = custom_id;
  if (method !== "POST") return broken("method", '"POST"', describeValue(method));
  if (typeof url !== "string" || !URLS.includes(url)) {
    return broken("url", URLS.join(", "), describeValue(url));
  }
  if (!isObject(body)) return broken("body", "an object", describeValue(body));
  if (body.stream === true) return broken("body.stream", "false", "true");
  try {
    return { number, customId, request: { url, body: JSON.stringify(body) } };
  } catch {
    // It calls itself for what lies deeper, and the stack has an end.
    return broken("body", "JSON that is not nested so deep", "deeper JSON");
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
