/** Reads the body of a fetch's answer, from front to back. */
import { PlmError } from "../errors.js";
import { parseUrl } from "../globals.js";
import { nameOf } from "./http-client.js";
import { checkAnswer } from "./http-connection.js";
import { contentLength } from "./http-fields.js";
import type { ResponseLike } from "./model-source.js";
import type { ByteSource } from "./source.js";
import { StreamSource } from "./stream-source.js";

/** Whether it is an answer to a fetch. */
export function isResponse(value: object): value is ResponseLike {
  const { status, headers } = value as Partial<ResponseLike>;
  return typeof status === "number" && typeof headers?.get === "function" && "body" in value;
}

/**
 * A source over an answer's body. Throws UNREADABLE_FILE for an answer that is no whole file,
 * INVALID_ARGUMENT for a body that was read already.
 */
export function openResponse(response: ResponseLike): ByteSource {
  const url = parseUrl(response.url || "response:");
  if (response.bodyUsed) {
    const message = `${nameOf(url)}: expected a Response with an unread body, got a used one`;
    throw new PlmError("INVALID_ARGUMENT", message);
  }
  if (response.status === 0) {
    const message = `${nameOf(url)}: the answer is opaque; fetch it with \`mode: "cors"\``;
    throw new PlmError("UNREADABLE_FILE", message);
  }
  if (response.status === 206) {
    const message = `${nameOf(url)}: expected the whole file, got a part (206)`;
    throw new PlmError("UNREADABLE_FILE", message);
  }
  checkAnswer(response, url);
  return new StreamSource(response.body!, nameOf(url), contentLength(response.headers));
}
