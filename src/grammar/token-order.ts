/** The tokens of a vocabulary in the order of their bytes. */

/** The bytes of all tokens' texts, one after the other; a token that is no text has none. */
export interface TokenTexts {
  readonly bytes: Uint8Array;
  /** u32[vocabSize + 1]: token t has the bytes `offsets[t]` to `offsets[t + 1]`. */
  readonly offsets: Uint32Array;
}

/** The tokens that have bytes, in order. Those with a common beginning are together. */
export interface TokenOrder {
  readonly vocabSize: number;
  /** i32[n] */
  readonly tokens: Int32Array;
  /** Their bytes, in the same order: from `offsets[i]` to `offsets[i + 1]`. */
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  /** u16[n + 1]: how many bytes each begins with that the one before it has, too; the last is 0. */
  readonly shared: Uint16Array;
  /** Bytes of the longest token. */
  readonly maxBytes: number;
}

/** Bytes of a token; longer ones are left out. */
const MOST_BYTES = 2 ** 16 - 1;

/** The order of all tokens, except some. */
export function orderTokens(texts: TokenTexts, except: ReadonlySet<number>): TokenOrder {
  const tokens = sortTokens(texts, except);
  const bytes = new Uint8Array(texts.bytes.length);
  const offsets = new Uint32Array(tokens.length + 1);
  const shared = new Uint16Array(tokens.length + 1);
  let maxBytes = 0;
  let end = 0;
  for (let i = 0; i < tokens.length; i++) {
    const begin = end;
    const before = i === 0 ? begin : offsets[i - 1];
    let n = 0;
    for (let from = texts.offsets[tokens[i]]; from < texts.offsets[tokens[i] + 1]; from++) {
      const byte = texts.bytes[from];
      // The token before ends where this one begins.
      if (n === end - begin && before + n < begin && bytes[before + n] === byte) n++;
      bytes[end++] = byte;
    }
    shared[i] = n;
    offsets[i + 1] = end;
    maxBytes = Math.max(maxBytes, end - begin);
  }
  return { vocabSize: texts.offsets.length - 1, tokens, bytes, offsets, shared, maxBytes };
}

/** Tokens up to which a part is sorted by insertion. */
const FEW = 24;

/** What a byte counts in a key: one more than itself, 0 where a token has ended. */
const DIGITS = 257;

/** Bytes of a key, which leaves 20 of a number's 53 bits for the token. */
const KEY_BYTES = 4;

/**
 * The tokens with bytes, in the order of these. Some bytes and the token's id make a number, and
 * numbers are sorted fast; then each part of which these bytes are the same by the next ones.
 */
function sortTokens({ bytes, offsets }: TokenTexts, except: ReadonlySet<number>): Int32Array {
  const vocabSize = offsets.length - 1;
  const sorted = new Int32Array(vocabSize);
  let length = 0;
  for (let token = 0; token < vocabSize; token++) {
    const size = offsets[token + 1] - offsets[token];
    if (size > 0 && size <= MOST_BYTES && !except.has(token)) sorted[length++] = token;
  }
  const allKeys = new Float64Array(length);
  const parts = [{ from: 0, to: length, depth: 0 }];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const { from, to, depth } = part;
    if (to - from <= FEW) {
      insertionSort(sorted, part, { bytes, offsets });
      continue;
    }
    const keys = allKeys.subarray(from, to);
    for (let i = from; i < to; i++) {
      const token = sorted[i];
      const end = offsets[token + 1];
      let key = 0;
      for (let n = 0, at = offsets[token] + depth; n < KEY_BYTES; n++, at++) {
        key = key * DIGITS + (at < end ? bytes[at] + 1 : 0);
      }
      keys[i - from] = key * vocabSize + token;
    }
    keys.sort();
    for (let i = from, begin = from, last = -1; i < to; i++) {
      const prefix = Math.floor(keys[i - from] / vocabSize);
      sorted[i] = keys[i - from] - prefix * vocabSize;
      if (prefix !== last) begin = i;
      last = prefix;
      const isLast = i + 1 === to || Math.floor(keys[i + 1 - from] / vocabSize) !== prefix;
      // Where the last of the bytes has ended, nothing can differ any more.
      if (isLast && i > begin && prefix % DIGITS > 0) {
        parts.push({ from: begin, to: i + 1, depth: depth + KEY_BYTES });
      }
    }
  }
  return sorted.subarray(0, length);
}

function insertionSort(
  sorted: Int32Array,
  { from, to, depth }: { readonly from: number; readonly to: number; readonly depth: number },
  { bytes, offsets }: TokenTexts,
): void {
  const isBefore = (a: number, b: number): boolean => {
    const endA = offsets[a + 1];
    const endB = offsets[b + 1];
    let i = offsets[a] + depth;
    let j = offsets[b] + depth;
    while (i < endA && j < endB && bytes[i] === bytes[j]) {
      i++;
      j++;
    }
    return j < endB && (i === endA || bytes[i] < bytes[j]);
  };
  for (let i = from + 1; i < to; i++) {
    const token = sorted[i];
    let at = i;
    while (at > from && isBefore(token, sorted[at - 1])) {
      sorted[at] = sorted[at - 1];
      at--;
    }
    sorted[at] = token;
  }
}
