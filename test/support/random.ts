/** Seeded values for tests and benches. */

/** A generator of uniform numbers in [0, 1): mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * `n` normal values with standard deviation `scale`; every 64th or so is an outlier, 20 times
 * larger.
 */
export function gaussian(n: number, random: () => number, scale = 1): Float32Array {
  return Float32Array.from({ length: n }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const value = radius * Math.cos(2 * Math.PI * random()) * scale;
    return random() < 1 / 64 ? 20 * value : value;
  });
}
