/** The seeded source of randomness: xoshiro128**, the same numbers in every runtime. */

/** Uniform numbers in [0, 1), each a multiple of 2^-53. */
export type RandomSource = () => number;

/**
 * xoshiro128** 1.1 (Blackman and Vigna, "Scrambled linear pseudorandom number generators"): 32
 * random bits a call. `state` is u32[4], not all zero, and is advanced in place.
 */
export function nextUint32(state: Uint32Array): number {
  const scaled = Math.imul(state[1], 5);
  const result = Math.imul((scaled << 7) | (scaled >>> 25), 9) >>> 0;
  const shifted = state[1] << 9;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= shifted;
  state[3] = (state[3] << 11) | (state[3] >>> 21);
  return result;
}

/** MurmurHash3's finaliser: a bijection of 32-bit words that spreads every bit. */
function mix(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * A source that depends on the seed alone, an integer in [0, 2^53).
 *
 * The four words of state are mixed from steps of the golden ratio, as splitmix does. The mixing is
 * a bijection of four different inputs, so they cannot all be zero.
 */
export function createRandomSource(seed: number): RandomSource {
  const low = seed >>> 0;
  const high = Math.floor(seed / 2 ** 32);
  const state = Uint32Array.from({ length: 4 }, (_, i) =>
    mix(mix(low + Math.imul(i + 1, 0x9e3779b9)) + high),
  );
  return () => {
    const high27 = nextUint32(state) >>> 5;
    const low26 = nextUint32(state) >>> 6;
    return (high27 * 2 ** 26 + low26) * 2 ** -53;
  };
}

/** A random seed: 32 bits from the platform's generator. */
export function randomSeed(): number {
  const { crypto } = globalThis;
  if (crypto === undefined) return Math.floor(Math.random() * 2 ** 32);
  return crypto.getRandomValues(new Uint32Array(1))[0];
}
