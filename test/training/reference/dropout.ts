/** Which elements dropout leaves, with integers as plain as can be. */

const WORD = 2n ** 32n;

/** MurmurHash3's end, of 32 bits. */
function mix(word: bigint): bigint {
  let w = word ^ (word >> 16n);
  w = (w * 0x85ebca6bn) % WORD;
  w ^= w >> 13n;
  w = (w * 0xc2b2ae35n) % WORD;
  return w ^ (w >> 16n);
}

/** The word of an element: an element is left where it is at least the share of 2^32. */
export function dropoutWord(element: number, key: number): number {
  const counter = (BigInt(element) * 0x9e3779b9n + BigInt(key >>> 0)) % WORD;
  return Number(mix(counter));
}

/** Whether an element, by its number in f32[tokens, hiddenSize], is left at a site of the model. */
export function keptByDropout(
  element: number,
  { share, key, site }: { readonly share: number; readonly key: number; readonly site: number },
): boolean {
  const siteKey = key ^ Math.imul(site + 1, 0x85ebca6b);
  return dropoutWord(element, siteKey) >= share * 2 ** 32;
}
