/** Why a request or a stream failed, for messages. */
import { reasonOf } from "../errors.js";
import { parseUrl } from "../globals.js";
import { nameOf } from "./http-client.js";

/**
 * The message of an error and of its cause, since fetch hides the reason one level down. URLs,
 * which some runtimes write out, are shown without credentials and query.
 */
export function describeCause(cause: unknown): string {
  const inner = (cause as { cause?: unknown } | null | undefined)?.cause;
  const reason = reasonOf(cause);
  // Node leaves the message empty if it tried several addresses.
  const innerReason = inner && (reasonOf(inner) || (inner as { code?: string }).code);
  return withoutSecrets(innerReason ? `${reason} (${innerReason})` : reason);
}

/** The text with its URLs as `nameOf` shows them. */
function withoutSecrets(text: string): string {
  // Brackets and colons may belong to a URL or follow it: those at its end are taken to follow.
  return text.replace(/\bhttps?:\/\/\S*[^\s"'`)\]}>.,:;]/gi, (url) => {
    try {
      return nameOf(parseUrl(url));
    } catch {
      return "a URL";
    }
  });
}
