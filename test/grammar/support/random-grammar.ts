/** Random grammars over a few bytes, all of whose rules have texts and are not left-recursive. */
import type { Expression, Grammar } from "../../../src/grammar/expression.js";

const BYTES = [97, 98, 99, 0xc3];

export function randomGrammar(random: () => number): Grammar {
  const names = ["root", "a", "b"];
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)];
  const byte = (): Expression => ({ kind: "bytes", bytes: Uint8Array.of(pick(BYTES)) });
  const build = (depth: number): Expression => {
    const kinds = depth === 0 ? ["bytes", "dfa"] : ["bytes", "dfa", "sequence", "choice", "repeat"];
    const kind = pick(depth === 0 ? kinds : [...kinds, "recursion"]);
    const several = (): Expression[] =>
      Array.from({ length: 1 + Math.floor(random() * 3) }, () => build(depth - 1));
    switch (kind) {
      case "sequence":
      case "choice":
        return { kind, parts: several() };
      case "repeat": {
        const min = Math.floor(random() * 3);
        const max = random() < 0.3 ? Infinity : min + Math.floor(random() * 3);
        return { kind, body: build(depth - 1), min, max };
      }
      case "recursion": {
        // A byte comes first, and the rule need not be called at all.
        const called: Expression = { kind: "rule", name: pick(names) };
        const body: Expression = { kind: "sequence", parts: [byte(), called, build(0)] };
        return { kind: "repeat", body, min: 0, max: 1 + Math.floor(random() * 2) };
      }
      case "dfa": {
        const edge = { from: 97, to: pick(BYTES.slice(0, 3)), target: 1 };
        const loop = { from: 99, to: 0xff, target: pick([0, 1]) };
        return { kind, dfa: { edges: [[edge], [loop]], finals: [random() < 0.2, true] } };
      }
      default:
        return byte();
    }
  };
  return { root: "root", rules: new Map(names.map((name) => [name, build(3)])) };
}

/** Tokens of up to four of these bytes; some twice, one of no bytes. */
export function randomTokens(random: () => number, count: number): Uint8Array[] {
  const tokens = BYTES.map((byte) => Uint8Array.of(byte));
  while (tokens.length < count) {
    const length = Math.floor(random() * 5);
    tokens.push(Uint8Array.from({ length }, () => BYTES[Math.floor(random() * BYTES.length)]));
  }
  return tokens;
}
