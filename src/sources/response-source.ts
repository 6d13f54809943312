/** Reads the body of a fetch Response from front to back. */
import { PlmError } from "../errors.js";
import type { ByteSource } from "../format/byte-source.js";
import { parseUrl } from "../globals.js";
import { nameOf } from "./http-client.js";
import { checkAnswer, unreadable } from "./http-connection.js";
import { contentLength } from "./http-fields.js";
import type { ResponseLike } from "./model-source.js";
import { StreamSource } from "./stream-source.js";

/** Whether the value is a Response. */
export function isResponse(value: object): value is ResponseLike {
  const { status, headers } = value as Partial<ResponseLike>;
  return typeof status === "number" && typeof headers?.get === "function" && "body" in value;
}

/**
 * A source over a Response's body. Throws UNREADABLE_FILE for a Response that is not a whole file,
 * INVALID_ARGUMENT for a body already read.
 */
export function openResponse(response: ResponseLike): ByteSource {
  const name = nameOfResponse(response);
  if (response.bodyUsed) {
    const message = `${name}: expected a Response with an unread body, got a used one`;
    throw new PlmError("INVALID_ARGUMENT", message);
  }
  if (response.status === 0) {
    throw unreadable(name, 'the answer is opaque; fetch it with `mode: "cors"`');
  }
  if (response.status === 206) throw unreadable(name, "expected the whole file, got a part (206)");
  checkAnswer(response, name);
  return new StreamSource(response.body!, name, contentLength(response.headers));
}

/** Its URL, which a Response that a program constructed lacks. */
function nameOfResponse({ url }: ResponseLike): string {
  try {
    return nameOf(parseUrl(url));
  } catch {
    return "response";
  }
}
