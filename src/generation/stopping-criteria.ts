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
   * Appends text, all of it shown or all hidden; returns what can be shown now, which withholds
   * whatever may yet turn out to begin a stop string. Returns nothing more once one was found.
   */
  push(text: string, isHidden?: boolean): string;
  /** The text still withheld, now that nothing follows; nothing if a stop string was found. */
  end(): string;
  /** The stop string found: the first to be completed, the longest of those completed together. */
  readonly found: string | undefined;
}

/**
 * A matcher for these strings, none empty. They are found in the text with its hidden parts and in
 * what is shown alike. However the text is cut into pieces, the result is the same. Linear:
 * Knuth-Morris-Pratt, two automata for each string.
 */
export function createStopStringMatcher(stops: readonly string[]): StopStringMatcher {
  // Longest first, so that the first to match is the longest.
  const patterns = [...stops]
    .sort((a, b) => b.length - a.length)
    .map((text) => ({ text, borders: computeBorders(text), matched: 0, matchedShown: 0 }));
  /** What is withheld of the text that is shown, and the place of each unit in the whole text. */
  let withheld = "";
  let places: number[] = [];
  let length = 0;
  let found: string | undefined;

  /** How many withheld units come before this place in the whole text. */
  const countBefore = (place: number): number => {
    let count = places.length;
    while (count > 0 && places[count - 1] >= place) count--;
    return count;
  };

  const take = (count: number): string => {
    const taken = withheld.slice(0, count);
    withheld = withheld.slice(count);
    places = places.slice(count);
    return taken;
  };

  /** Takes a unit in; returns how many withheld ones come before the stop string it completes. */
  const step = (unit: number, isHidden: boolean): number | undefined => {
    let count: number | undefined;
    for (const pattern of patterns) {
      const { text, borders } = pattern;
      pattern.matched = extend(text, borders, pattern.matched, unit);
      if (!isHidden) pattern.matchedShown = extend(text, borders, pattern.matchedShown, unit);
      if (count !== undefined) continue;
      if (pattern.matched === text.length) count = countBefore(length - text.length);
      else if (pattern.matchedShown === text.length) count = withheld.length - text.length;
      if (count !== undefined) found = text;
    }
    return count;
  };

  return {
    push(text, isHidden = false) {
      if (found !== undefined) return "";
      for (let i = 0; i < text.length; i++) {
        if (!isHidden) {
          withheld += text[i];
          places.push(length);
        }
        length++;
        const count = step(text.charCodeAt(i), isHidden);
        if (count !== undefined) return take(count);
      }
      let count = withheld.length;
      for (const { matched, matchedShown } of patterns) {
        count = Math.min(count, countBefore(length - matched), withheld.length - matchedShown);
      }
      return take(count);
    },
    end: () => (found === undefined ? take(withheld.length) : ""),
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
