/** The streamer: from token ids to text to show, in whole characters, up to a stop string. */
import type { IncrementalDecoder } from "../tokenizer/decoder.js";
import { createStopStringMatcher } from "./stopping-criteria.js";

/** Turns tokens into pieces of text; a piece may be empty. */
export interface Streamer {
  /** The text that can be shown now that this token has come. */
  push(token: number): string;
  /** The rest of the text, now that no token follows. */
  end(): string;
  /** The stop string that the text ran into; from then on every piece is empty. */
  readonly stop: string | undefined;
}

/** A streamer over a fresh decoder. `stops` are never shown, nor anything after them. */
export function createStreamer(decoder: IncrementalDecoder, stops: readonly string[]): Streamer {
  const matcher = createStopStringMatcher(stops);
  return {
    push: (token) => matcher.push(decoder.push(token)),
    end: () => matcher.push(decoder.end()) + matcher.end(),
    get stop() {
      return matcher.found;
    },
  };
}
