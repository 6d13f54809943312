/** The streamer: from token ids to text to show, in whole characters, up to a stop string. */
import type { TokenDecoder } from "./evaluator.js";
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

/** What a streamer shows. */
export interface StreamerOptions {
  /** Never shown, nor anything after them. */
  stop: readonly string[];
  /** Whether control tokens are shown. */
  special: boolean;
}

/** Whether a UTF-16 unit is shown. */
const SHOWN = "s";
const HIDDEN = "h";

/**
 * A streamer with a decoder of its own. Stop strings are looked for in the text with its control
 * tokens, then in the text that is shown: `<|im_start|>` ends it whether the model writes it as one
 * token, hidden or not, or letter by letter.
 */
export function createStreamer(tokens: TokenDecoder, { stop, special }: StreamerOptions): Streamer {
  const decoder = tokens.createDecoder({ special });
  const whole = createStopStringMatcher(stop);
  const shown = createStopStringMatcher(stop);
  /** For each unit that `whole` withholds, whether it is shown. */
  let withheld = "";

  const add = (text: string, kind: string): string => {
    withheld += kind.repeat(text.length);
    return show(whole.push(text));
  };
  const show = (text: string): string => {
    const kinds = withheld.slice(0, text.length);
    withheld = withheld.slice(text.length);
    return shown.push(kinds.includes(HIDDEN) ? withoutHidden(text, kinds) : text);
  };
  return {
    push(token) {
      const text = decoder.push(token);
      if (text !== "" || special || stop.length === 0) return add(text, SHOWN);
      return add(hiddenTextOf(tokens, token), HIDDEN);
    },
    end: () => add(decoder.end(), SHOWN) + show(whole.end()) + shown.end(),
    get stop() {
      return whole.found ?? shown.found;
    },
  };
}

function withoutHidden(text: string, kinds: string): string {
  let rest = "";
  for (let i = 0; i < text.length; i++) if (kinds[i] === SHOWN) rest += text[i];
  return rest;
}

/** The text of a control token; "" for a token that shows by itself, or has no text. */
function hiddenTextOf(tokens: TokenDecoder, token: number): string {
  const textOf = (special: boolean): string => {
    const decoder = tokens.createDecoder({ special });
    return decoder.push(token) + decoder.end();
  };
  return textOf(false) === "" ? textOf(true) : "";
}
