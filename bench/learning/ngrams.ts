/** All byte n-grams of a text with their counts, as a trie with flat arrays as levels. */

/** A text's places, sorted by the bytes that begin there. */
export interface SortedText {
  /** The text, and `depth` zero bytes after it. */
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly depth: number;
  /** Places of the text, by their `depth` bytes. */
  readonly places: Int32Array;
  /** By sorted place: how many first bytes, at most `depth`, it shares with the one before. */
  readonly shared: Uint8Array;
}

/** The n-grams of one length, sorted. */
export interface NgramLevel {
  /** The last byte of each. */
  readonly symbols: Uint8Array;
  /** Kneser-Ney counts: occurrences of the longest, else the number of distinct bytes before it. */
  readonly counts: Int32Array;
  /** Where the n-grams of one more byte begin: those of i are firsts[i]..firsts[i + 1]. */
  readonly firsts: Int32Array;
}

/**
 * Sorts the places of a text by their `depth` next bytes: counting sorts, last byte first. A text
 * of n bytes takes 10 n bytes meanwhile. Throws RangeError for a text with a zero byte.
 */
export function sortText(text: Uint8Array, depth: number): SortedText {
  if (text.includes(0)) throw new RangeError("text: expected no zero bytes");
  const { length } = text;
  const bytes = new Uint8Array(length + depth);
  bytes.set(text);
  let places = Int32Array.from({ length }, (_, i) => i);
  let sorted = new Int32Array(length);
  for (let at = depth - 1; at >= 0; at--) {
    const ends = new Int32Array(256);
    for (let i = 0; i < length; i++) ends[bytes[i + at]]++;
    for (let symbol = 1; symbol < 256; symbol++) ends[symbol] += ends[symbol - 1];
    for (let i = length - 1; i >= 0; i--) sorted[--ends[bytes[places[i] + at]]] = places[i];
    [places, sorted] = [sorted, places];
  }
  const shared = new Uint8Array(length);
  for (let i = 1; i < length; i++) {
    while (shared[i] < depth && bytes[places[i] + shared[i]] === bytes[places[i - 1] + shared[i]]) {
      shared[i]++;
    }
  }
  return { bytes, length, depth, places, shared };
}

/**
 * The n-grams of 0, 1, ... `longest` bytes, at most the depth of the sorted text. N-grams that
 * would run over the text's end have count 0.
 */
export function ngramLevels(text: SortedText, longest: number): NgramLevel[] {
  const { bytes, length, places } = text;
  const starts = Array.from({ length: longest + 1 }, (_, size) => startsOf(text, size));
  const ranks = new Int32Array(length);
  places.forEach((place, rank) => {
    ranks[place] = rank;
  });
  return starts.map((own, size) => {
    const longer = size < longest ? starts[size + 1] : Int32Array.of(length);
    const counts =
      size < longest
        ? precedingBytes(text, { own, longer, size, ranks })
        : occurrences(text, own, size);
    return {
      symbols:
        size === 0
          ? new Uint8Array(1)
          : Uint8Array.from(own.subarray(0, -1), (start) => bytes[places[start] + size - 1]),
      counts,
      firsts: firstsOf(own, longer),
    };
  });
}

/** Where in the sorted order the n-grams of a size begin, and the text's length. */
function startsOf({ shared, length }: SortedText, size: number): Int32Array {
  let count = 0;
  for (let i = 0; i < length; i++) if (i === 0 || shared[i] < size) count++;
  const starts = new Int32Array(count + 1);
  for (let i = 0, to = 0; i < length; i++) if (i === 0 || shared[i] < size) starts[to++] = i;
  starts[count] = length;
  return starts;
}

/** The index, among the longer n-grams, of the first one that begins with each of these. */
function firstsOf(own: Int32Array, longer: Int32Array): Int32Array {
  let at = 0;
  return own.map((start) => {
    while (longer[at] < start) at++;
    return at;
  });
}

function occurrences({ places, length }: SortedText, starts: Int32Array, size: number): Int32Array {
  return Int32Array.from({ length: starts.length - 1 }, (_, i) =>
    places[starts[i]] + size <= length ? starts[i + 1] - starts[i] : 0,
  );
}

/** How many n-grams of one more byte end with each of these: distinct bytes before it. */
function precedingBytes(
  { places, length, shared }: SortedText,
  {
    own,
    longer,
    size,
    ranks,
  }: { own: Int32Array; longer: Int32Array; size: number; ranks: Int32Array },
): Int32Array {
  const ngramOf = new Int32Array(length);
  for (let i = 1; i < length; i++) ngramOf[i] = ngramOf[i - 1] + (shared[i] < size ? 1 : 0);
  const counts = new Int32Array(own.length - 1);
  for (let i = 0; i < longer.length - 1; i++) {
    const place = places[longer[i]];
    if (place + size + 1 > length) continue;
    // For size 0 the next place may be the text's end.
    counts[size === 0 ? 0 : ngramOf[ranks[place + 1]]]++;
  }
  return counts;
}
