// The tokens that every engine is given, also as text for those that only take text.

/** Draws before a vocabulary counts as having no words. */
const MOST_DRAWS = 1_000_000;

/**
 * `count` random words of one token each, always the same ones. `slice(start, end)` returns their
 * `tokens`, and the `text` that the tokenizer turns into these. Throws an Error if the vocabulary
 * has no such words.
 */
export function makePrompts(count, tokenizer, vocabSize) {
  const tokens = [];
  const words = [];
  let state = 1;
  for (let draw = 0; draw < MOST_DRAWS && tokens.length < count; draw++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const token = Math.floor((state / 2 ** 32) * vocabSize);
    const word = tokenizer.decode([token]);
    if (!/^ [a-z]+$/.test(word) || tokenizer.encode(word).length !== 1) continue;
    tokens.push(token);
    words.push(word);
  }
  const again = tokenizer.encode(words.join(""));
  if (tokens.length < count || tokens.some((token, i) => token !== again[i])) {
    throw new Error("the model's vocabulary has too few words that are one token");
  }
  return {
    slice: (start, end) => ({
      tokens: tokens.slice(start, end),
      text: words.slice(start, end).join(""),
    }),
  };
}
