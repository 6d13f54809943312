/** Bodies of requests: JSON of limited size and depth. */
import { requireGlobal } from "../globals.js";
import { HttpError } from "./http-error.js";

/** The deepest nesting: what reads values does so with calls inside calls. */
const MOST_DEPTH = 256;

/** The value of a body. Throws HttpError 400 for what is not JSON, 413 for more than the limit. */
export async function readJson(request: Request, limitBytes: number): Promise<unknown> {
  const bytes = await readBytes(request, limitBytes);
  let text: string;
  try {
    text = new (requireGlobal("TextDecoder"))("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalid("UTF-8", "other bytes");
  }
  if (text.trim() === "") throw invalid("a JSON object", "nothing");
  if (!isShallow(text)) throw invalid(`JSON of at most ${MOST_DEPTH} levels`, "more");
  try {
    return JSON.parse(text);
  } catch {
    throw invalid("JSON", "a text that is none");
  }
}

async function readBytes(request: Request, limitBytes: number): Promise<Uint8Array> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > limitBytes) throw tooLarge(limitBytes, `${declared} bytes`);
  const reader = request.body?.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (reader !== undefined) {
    const { done, value } = await reader.read().catch(() => {
      throw invalid("a whole body", "one that was cut short");
    });
    if (done) break;
    length += value.length;
    if (length > limitBytes) {
      reader.cancel().catch(() => {});
      throw tooLarge(limitBytes, "more");
    }
    pieces.push(value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Whether no value lies deeper than the limit. Of what is not JSON, either. */
function isShallow(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (inString) {
      if (char === "\\") i++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === "{" || char === "[") {
      if (++depth > MOST_DEPTH) return false;
    } else if (char === "}" || char === "]") depth--;
  }
  return true;
}

function invalid(expected: string, got: string): HttpError {
  return new HttpError(400, `body: expected ${expected}, got ${got}`, { code: "invalid_json" });
}

function tooLarge(limitBytes: number, got: string): HttpError {
  const message = `body: expected at most ${limitBytes} bytes, got ${got}`;
  return new HttpError(413, message, { code: "request_too_large" });
}
