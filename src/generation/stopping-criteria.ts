/** Stopping criteria: when generation ends, and the search for stop strings in a growing text. */

/**
 * Why generation ended: an end token was chosen, or the text has the form of `responseFormat` and
 * cannot go on; a stop string was completed; maxTokens or the context was used up; or the reader
 * left the loop.
 */
export type FinishReason = "eos" | "stop" | "length" | "cancelled";

/** The input of the criteria after each token. */
export interface StoppingState {
  /**
   * Whether the token just chosen is an end token, which does not count as generated, or completes
   * a form.
   */
  isEos: boolean;
  /** The stop string that was found, if any. */
  stop: string | undefined;
  /** Tokens generated, and the most to generate. */
  generated: number;
  maxTokens: number;
  /** Tokens that the context still has room for, including the last. */
  room: number;
}

/** The reason to end now, or undefined: end token, then stop string, then length. */
export function findFinishReason(state: StoppingState): FinishReason | undefined {
  if (state.isEos) return "eos";
  if (state.stop !== undefined) return "stop";
  return state.generated >= state.maxTokens || state.room < 1 ? "length" : undefined;
}

/** Watches a text for stop strings. */
export interface StopStringMatcher {
  /**
   * Appends shown text, or the whole text of one hidden token. Returns the text that can be shown
   * now, without an end that may begin a stop string; nothing after a stop string was found.
   */
  push(text: string, isHidden?: boolean): string;
  /** The text still withheld at the end; nothing if a stop string was found. */
  end(): string;
  /** The stop string found: the first completed, of several at once the longest. */
  readonly found: string | undefined;
}

/**
 * A matcher for these strings, none empty. It finds them in the shown text, with or without its
 * hidden tokens; a stop string contains a whole hidden token or none of it. The result does not
 * depend on how the text is cut into pieces. Linear: Knuth-Morris-Pratt, two automata per string.
 */
export function createStopStringMatcher(stops: readonly string[]): StopStringMatcher {
  // Longest first, so that the first to match is the longest.
  const patterns = [...stops]
    .sort((a, b) => b.length - a.length)
    .map((text) => ({ text, borders: computeBorders(text), matched: 0, matchedShown: 0 }));
  /** The withheld part of the shown text, and each unit's place in the whole text. */
  let withheld = "";
  let places: number[] = [];
  let length = 0;
  let found: string | undefined;
  const longest = patterns.reduce((most, { text }) => Math.max(most, text.length), 0);
  /** Places inside hidden tokens, where no match may begin; old ones are dropped. */
  const inside = new Set<number>();

  /** The number of withheld units before this place in the whole text. */
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

  /** Adds a unit; returns the number of withheld units before the stop string that it completes. */
  const step = (unit: number, kind: "shown" | "hidden" | "hidden end"): number | undefined => {
    let count: number | undefined;
    const mayBegin = (matched: number): boolean => !inside.has(length - matched);
    for (const pattern of patterns) {
      const { text, borders } = pattern;
      pattern.matched = extend(text, borders, pattern.matched, unit, mayBegin);
      if (kind === "shown") {
        pattern.matchedShown = extend(text, borders, pattern.matchedShown, unit);
      }
      if (count !== undefined || kind === "hidden") continue;
      if (pattern.matched === text.length) count = countBefore(length - text.length);
      else if (pattern.matchedShown === text.length) count = withheld.length - text.length;
      if (count !== undefined) found = text;
    }
    return count;
  };

  /** Adds a hidden token's text, in which a match may begin at the first unit only. */
  const pushHidden = (text: string): string | undefined => {
    for (const place of inside) {
      if (place >= length - longest) break;
      inside.delete(place);
    }
    for (let i = 1; i < text.length; i++) inside.add(length + i);
    for (let i = 0; i < text.length; i++) {
      length++;
      const isLast = i === text.length - 1;
      const count = step(text.charCodeAt(i), isLast ? "hidden end" : "hidden");
      if (count !== undefined) return take(count);
    }
    return undefined;
  };

  return {
    push(text, isHidden = false) {
      if (found !== undefined) return "";
      if (isHidden) {
        const last = pushHidden(text);
        if (last !== undefined) return last;
      } else {
        for (let i = 0; i < text.length; i++) {
          withheld += text[i];
          places.push(length);
          length++;
          const count = step(text.charCodeAt(i), "shown");
          if (count !== undefined) return take(count);
        }
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

/**
 * The length of the pattern's prefix that ends the text after one more code unit, from that before
 * it, `matched`; `mayBegin` excludes lengths.
 */
function extend(
  pattern: string,
  borders: Int32Array,
  matched: number,
  unit: number,
  mayBegin: (length: number) => boolean = () => true,
): number {
  let length = matched;
  for (;;) {
    if (pattern.charCodeAt(length) === unit && mayBegin(length + 1)) return length + 1;
    if (length === 0) return 0;
    length = borders[length];
  }
}
