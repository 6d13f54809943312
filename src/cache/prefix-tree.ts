import type { PagePool } from "./pages.js";
import type { CacheSequence } from "./sequence.js";
export class PrefixTree {
  constructor(_p: PagePool, _l: number) {}
  match(
    _t: Uint32Array,
    _m: number,
    _k?: Uint8Array,
  ): { length: number; kinds: Uint8Array; blocks: number[][] } {
    return { length: 0, kinds: new Uint8Array(0), blocks: [] };
  }
  insert(_t: Uint32Array, _k: Uint8Array, _s: CacheSequence, _l: number): void {}
}
