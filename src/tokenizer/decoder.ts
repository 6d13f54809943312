/** Turns the bytes of tokens into text, all at once or piece by piece. */
import { requireGlobal } from "../globals.js";

/** A decoder that takes tokens one at a time. */
export interface IncrementalDecoder {
  /**
   * The text that token `id` completes; "" while a character still lacks bytes. Throws
   * INVALID_TOKEN, and leaves the decoder unchanged, for an id outside the vocabulary.
   */
  push(id: number): string;
  /** The rest: U+FFFD if a character is unfinished, else "". Resets the decoder. */
  end(): string;
}

/** A byte order mark is ordinary text here. */
function textDecoder(): TextDecoder {
  return new (requireGlobal("TextDecoder"))("utf-8", { ignoreBOM: true });
}

/** Text of UTF-8 bytes; invalid bytes become U+FFFD. */
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
