/** Stopping criteria: when generation ends, and the search for stop strings in a growing text. */

/**
 * Why generation ended: an end token was chosen; a stop string was completed; maxTokens or the
 * context was used up; or the reader left the loop.
 */
export type FinishReason = "eos" | "stop" | "length" | "cancelled";

/** What the criteria judge after each token. */
export interface StoppingState {
  /** Whether the token just chosen is an end token; then it is not counted as generated. */
  isEos: boolean;
  /** The stop string that the text has run into, if any. */
  stop: string | undefined;
  /** How many tokens were generated, and the most that may be. */
  generated: number;
  maxTokens: number;
  /** How many tokens the context still takes, the last one included. */
  room: number;
}

/** The reason to end now, or undefined to go on: end token, then stop string, then length. */
export function findFinishReason(state: StoppingState): FinishReason | undefined {
  if (state.isEos) return "eos";
  if (state.stop !== undefined) return "stop";
  return state.generated >= state.maxTokens || state.room < 1 ? "length" : undefined;
}

/** Watches a text for stop strings. */
export interface StopStringMatcher {
  /**
   * Appends text; returns what can be told now, which withholds whatever may yet turn out to begin
   * a stop string. Returns nothing more once a stop string was found.
   */
  push(text: string): string;
  /** The text still withheld, now that nothing follows; nothing if a stop string was found. */
  end(): string;
  /** The stop string found: the first to be completed, the longest of those completed together. */
  readonly found: string | undefined;
}

/**
 * A matcher for these strings, none empty. However the text is cut into pieces, the result is the
 * same. Linear: Knuth-Morris-Pratt, one automaton for each string.
 */
export function createStopStringMatcher(stops: readonly string[]): StopStringMatcher {
  // Longest first, so that the first to match is the longest.
  const patterns = [...stops]
    .sort((a, b) => b.length - a.length)
    .map((text) => ({ text, borders: computeBorders(text), matched: 0 }));
  let withheld = "";
  let found: string | undefined;

  /** The stop string that this code unit completes. */
  const step = (unit: number): string | undefined => {
    let completed: string | undefined;
    for (const pattern of patterns) {
      pattern.matched = extend(pattern.text, pattern.borders, pattern.matched, unit);
      if (pattern.matched === pattern.text.length) completed ??= pattern.text;
    }
    return completed;
  };

  return {
    push(text) {
      if (found !== undefined) return "";
      const known = withheld + text;
      for (let i = 0; i < text.length; i++) {
        found = step(text.charCodeAt(i));
        if (found !== undefined) {
          const end = withheld.length + i + 1;
          withheld = "";
          return known.slice(0, end - found.length);
        }
      }
      const longest = patterns.reduce((most, { matched }) => Math.max(most, matched), 0);
      withheld = known.slice(known.length - longest);
      return known.slice(0, known.length - longest);
    },
    end() {
      const rest = withheld;
      withheld = "";
      return rest;
    },
    get found() {
      return found;
    },
  };
}

/** For each prefix of the pattern, the length of the longest shorter prefix that also ends it. */
function computeBorders(pattern: string): Int32Array {
  const borders = new Int32Array(pattern.length + 1);
  for (let i = 1; i < pattern.length; i++) {
    borders[i + 1] = extend(pattern, borders, borders[i], pattern.charCodeAt(i));
  }
  return borders;
}

/** How much of the pattern ends the text, after one more code unit, when `matched` did before. */
function extend(pattern: string, borders: Int32Array, matched: number, unit: number): number {
  let length = matched;
  while (length > 0 && pattern.charCodeAt(length) !== unit) length = borders[length];
  return pattern.charCodeAt(length) === unit ? length + 1 : length;
}
