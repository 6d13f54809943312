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
   * Appends text that is shown, or the whole text of one hidden token; returns what can be shown
   * now, which withholds whatever may yet turn out to begin a stop string. Returns nothing more
   * once one was found.
   */
  push(text: string, isHidden?: boolean): string;
  /** The text still withheld, now that nothing follows; nothing if a stop string was found. */
  end(): string;
  /** The stop string found: the first to be completed, the longest of those completed together. */
  readonly found: string | undefined;
}

/**
 * A matcher for these strings, none empty. They are found in the text with its hidden tokens and in
 * what is shown alike; of a hidden token a stop string has all or nothing. However the shown text
 * is cut into pieces, the result is the same. Linear: Knuth-Morris-Pratt, two automata for each
 * string.
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
  const longest = patterns.reduce((most, { text }) => Math.max(most, text.length), 0);
  /** Places within hidden tokens, where no match may begin; those too far back are dropped. */
  const inside = new Set<number>();

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

  /** Takes the text of a hidden token in, of which no match may begin behind the first unit. */
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
 * How much of the pattern ends the text, after one more code unit, when `matched` did before;
 * `mayBegin` denies lengths.
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
