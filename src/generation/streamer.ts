/** The streamer: turns token ids into text to show, in whole characters, up to a stop string. */
import type { TokenDecoder } from "./evaluator.js";
import { createStopStringMatcher } from "./stopping-criteria.js";

/** Turns tokens into pieces of text; a piece may be empty. */
export interface Streamer {
  /** Adds a token; returns the text that can be shown now. */
  push(token: number): string;
  /** The rest of the text after the last token. */
  end(): string;
  /** The stop string that was found; from then on every piece is empty. */
  readonly stop: string | undefined;
}

/** What a streamer shows. */
export interface StreamerOptions {
  /** The text ends before the first of these. */
  stop: readonly string[];
  /** Whether control tokens are shown. */
  special: boolean;
}

/**
 * A streamer with a decoder of its own. The stop string `<|im_start|>` ends the text whether the
 * model writes it as one token, which is hidden, or letter by letter. The stop string `>` is not
 * found in that token.
 */
export function createStreamer(tokens: TokenDecoder, { stop, special }: StreamerOptions): Streamer {
  const decoder = tokens.createDecoder({ special });
  const matcher = createStopStringMatcher(stop);
  return {
    push(token) {
      const text = decoder.push(token);
      if (text !== "" || special || stop.length === 0) return matcher.push(text);
      return matcher.push(hiddenTextOf(tokens, token), true);
    },
    end: () => matcher.push(decoder.end()) + matcher.end(),
    get stop() {
      return matcher.found;
    },
  };
}

/** The text of a control token; "" for a token that is shown anyway or has no text. */
function hiddenTextOf(tokens: TokenDecoder, token: number): string {
  return textOf(tokens, token, false) === "" ? textOf(tokens, token, true) : "";
}

/** The text of a token by itself, with `special` also of one that is hidden. */
export function textOf(tokens: TokenDecoder, token: number, special: boolean): string {
  const decoder = tokens.createDecoder({ special });
  return decoder.push(token) + decoder.end();
}
