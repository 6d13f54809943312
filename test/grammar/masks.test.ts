/** Masks of tokens against derivatives of the grammar, byte by byte. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Automaton } from "../../src/grammar/automaton.js";
import type { Expression, Grammar } from "../../src/grammar/expression.js";
import { TokenConstraint } from "../../src/grammar/token-constraint.js";
import { TokenMasks } from "../../src/grammar/token-masks.js";
import { orderTokens, type TokenTexts } from "../../src/grammar/token-order.js";
import { seededRandom } from "../support/random.js";
import { Derivatives, isPossible } from "./support/derivative.js";
import { randomGrammar, randomTokens } from "./support/random-grammar.js";

const GRAMMARS = Number(process.env.GRAMMARS ?? 150);

/** The end token. */
const EOS = 0;

function textsOf(tokens: readonly Uint8Array[]): TokenTexts {
  const offsets = new Uint32Array(tokens.length + 1);
  tokens.forEach((bytes, i) => {
    offsets[i + 1] = offsets[i] + bytes.length;
  });
  return { bytes: Uint8Array.from(tokens.flatMap((bytes) => [...bytes])), offsets };
}

function constrain(grammar: Grammar, tokens: readonly Uint8Array[]): () => TokenConstraint {
  const texts = textsOf(tokens);
  const eosTokenIds = new Set([EOS]);
  const automaton = new Automaton(grammar);
  const masks = new TokenMasks(automaton, orderTokens(texts, eosTokenIds));
  return () => new TokenConstraint(automaton, masks, { texts, eosTokenIds });
}

/** What may follow a token; undefined if nothing may. */
function follow(
  reference: Derivatives,
  from: Expression,
  bytes: Uint8Array,
): Expression | undefined {
  let at = from;
  for (const byte of bytes) at = reference.after(at, byte);
  return bytes.length > 0 && isPossible(at) ? at : undefined;
}

test(`random texts of ${GRAMMARS} random grammars`, () => {
  const random = seededRandom(1);
  for (let k = 0; k < GRAMMARS; k++) {
    const grammar = randomGrammar(random);
    const tokens = [Uint8Array.of(97), ...randomTokens(random, 30)];
    const begin = constrain(grammar, tokens);
    const reference = new Derivatives(grammar);
    for (let text = 0; text < 3; text++) {
      const constraint = begin();
      let at = reference.root;
      for (let step = 0; step < 8; step++) {
        const logits = new Float32Array(tokens.length + 3);
        constraint.mask(logits);
        const expected = tokens.map((bytes, token) =>
          token === EOS ? undefined : follow(reference, at, bytes),
        );
        const allowed: number[] = [];
        expected.forEach((after, token) => {
          if (token === EOS ? reference.mayEnd(at) : after !== undefined) allowed.push(token);
        });
        const found = [...logits.keys()].filter((token) => logits[token] === 0);
        assert.equal(found, allowed, `grammar ${k}`);
        assert.is(constraint.canEnd, reference.mayEnd(at));
        const next = allowed.filter((token) => token !== EOS);
        assert.is(constraint.isComplete, next.length === 0 && constraint.canEnd);
        if (next.length === 0) break;
        const token = next[Math.floor(random() * next.length)];
        constraint.accept(token);
        at = expected[token]!;
      }
    }
  }
});

test("repetitions that count, far from their limits and near them", () => {
  const letter: Expression = {
    kind: "dfa",
    dfa: {
      edges: [
        [
          { from: 97, to: 98, target: 2 },
          { from: 0xc3, to: 0xc3, target: 1 },
        ],
        [{ from: 97, to: 99, target: 2 }],
        [],
      ],
      finals: [false, false, true],
    },
  };
  const random = seededRandom(2);
  for (const [min, max] of [
    [0, 150],
    [140, 150],
    [140, 140],
    [160, Infinity],
  ]) {
    const body: Expression = { kind: "repeat", body: letter, min, max };
    const end: Expression = { kind: "bytes", bytes: Uint8Array.of(99) };
    const root: Expression = { kind: "sequence", parts: [body, end] };
    const grammar = { root: "root", rules: new Map([["root", root]]) };
    const tokens = [Uint8Array.of(97), ...randomTokens(random, 10)];
    const constraint = constrain(grammar, tokens)();
    const reference = new Derivatives(grammar);
    let at: Expression = root;
    let count = 0;
    for (; !constraint.isComplete; count++) {
      const logits = new Float32Array(tokens.length);
      constraint.mask(logits);
      const expected = tokens.map((bytes) => follow(reference, at, bytes));
      expected.forEach((after, token) => {
        if (token === EOS) return;
        assert.is(logits[token] === 0, after !== undefined, `${min}-${max}: ${count}, ${token}`);
      });
      const next = [...logits.keys()].filter((token) => logits[token] === 0);
      // Goes on as long as it can.
      const long = next.filter((token) => !tokens[token].includes(99));
      const from = long.length > 0 && count < 190 ? long : next;
      const token = from[Math.floor(random() * from.length)];
      constraint.accept(token);
      at = expected[token]!;
    }
    assert.ok(count > 40);
  }
});

test("what cannot be followed is refused", () => {
  const refuse = (rules: Record<string, Expression>, message: RegExp): void => {
    const grammar = { root: "root", rules: new Map(Object.entries(rules)) };
    assert.throws(() => new Automaton(grammar), message);
  };
  const call = (name: string): Expression => ({ kind: "rule", name });
  const a: Expression = { kind: "bytes", bytes: Uint8Array.of(97) };
  const maybe: Expression = { kind: "repeat", body: a, min: 0, max: 1 };
  refuse({ root: call("lost") }, /expected a rule "lost", got none/);
  refuse({ root: { kind: "choice", parts: [] } }, /expected a form that some text has/);
  refuse({ root: { kind: "sequence", parts: [a, call("root")] } }, /that some text has/);
  refuse({ root: { kind: "sequence", parts: [maybe, call("root"), a] } }, /left-recursive/);
  refuse(
    {
      root: { kind: "choice", parts: [a, call("x")] },
      x: { kind: "sequence", parts: [call("root"), a] },
    },
    /left-recursive/,
  );
  const empty: Expression = { kind: "repeat", body: maybe, min: 0, max: 10_000 };
  refuse({ root: empty }, /more than 512 repetitions of what may be empty/);
});

test("a token that is not allowed is refused, and changes nothing", () => {
  const root: Expression = { kind: "bytes", bytes: Uint8Array.of(97, 98) };
  const grammar = { root: "root", rules: new Map([["root", root]]) };
  const constraint = constrain(
    grammar,
    [97, 97, 98].map((byte) => Uint8Array.of(byte)),
  )();
  assert.throws(() => constraint.accept(2), /expected one that the response format allows, got 2/);
  constraint.accept(1);
  assert.throws(() => constraint.accept(1), /got 1/);
  constraint.accept(2);
  assert.is(constraint.isComplete, true);
});

test("a vocabulary that cannot write the form is an error of its own", () => {
  const root: Expression = { kind: "bytes", bytes: Uint8Array.of(98) };
  const grammar = { root: "root", rules: new Map([["root", root]]) };
  const constraint = constrain(grammar, [Uint8Array.of(97), Uint8Array.of(97)])();
  assert.throws(() => constraint.mask(new Float32Array(2)), /that the tokens of the vocabulary/);
});

test.run();
