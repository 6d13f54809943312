/** Turns the bytes of tokens back into text, all at once or piece by piece. */
import { requireGlobal } from "../globals.js";

/** A decoder that takes tokens one at a time. */
export interface IncrementalDecoder {
  /**
   * Text that is complete with token `id`; "" while a character still lacks bytes. Throws
   * INVALID_TOKEN, and leaves the decoder as it was, for an id outside the vocabulary.
   */
  push(id: number): string;
  /** The rest: U+FFFD if a character was left unfinished, else "". The decoder is then as new. */
  end(): string;
}

/** A byte order mark is text like any other here. */
function textDecoder(): TextDecoder {
  return new (requireGlobal("TextDecoder"))("utf-8", { ignoreBOM: true });
}

/** Text of UTF-8 bytes; what is not UTF-8 becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  return textDecoder().decode(bytes);
}

/** A decoder over `bytesOf`, the bytes of a token. */
export function incrementalDecoder(bytesOf: (id: number) => Uint8Array): IncrementalDecoder {
  const decoder = textDecoder();
  return {
    push: (id) => decoder.decode(bytesOf(id), { stream: true }),
    end: () => decoder.decode(),
  };
}
