/** Masks of tokens against derivatives of the grammar, byte by byte. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Automaton } from "../../src/grammar/automaton.js";
import { checkGrammar } from "../../src/grammar/constraints.js";
import type { Expression, Grammar } from "../../src/grammar/expression.js";
import { grammarOf } from "../../src/grammar/source.js";
import { TokenConstraint } from "../../src/grammar/token-constraint.js";
import { TokenMasks } from "../../src/grammar/token-masks.js";
import { orderTokens, type TokenTexts } from "../../src/grammar/token-order.js";
import { seededRandom } from "../support/random.js";
import { Derivatives, isPossible, sizeOf } from "./support/derivative.js";
import { randomGrammar, randomTokens } from "./support/random-grammar.js";

const GRAMMARS = Number(process.env.GRAMMARS ?? 150);

/** Expressions after which a text is not followed further. */
const LARGE = 150;

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
        if (next.length === 0 || sizeOf(at) > LARGE) break;
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
  const refuse = (text: string, message: RegExp): void => {
    assert.throws(() => checkGrammar({ type: "grammar", text }), message);
  };
  refuse("root ::= lost", /expected a rule lost, got none/);
  refuse('top ::= "a"', /expected a rule root, got none/);
  refuse('root ::= "a" root', /expected a form that some text has, got one that none has/);
  refuse("root ::= []", /that some text has/);
  refuse('root ::= "a"? root? "b"', /expected rules that begin with something else .* got "root"/);
  refuse('root ::= "a" | x\nx ::= root "b"', /which is left-recursive/);
  refuse('root ::= ("a"?){10000}', /more than 512 repetitions of what may be empty/);
  refuse(`root ::= ${"[ab]* ".repeat(2)}"a"${" [ab]".repeat(30)}`, /expected a smaller grammar/);
});

test("parts that no text follows are left out", () => {
  const grammar = grammarOf({
    type: "grammar",
    text: 'root ::= "a" (x | "b" | []) (x | "c")*\nx ::= "a" x',
  });
  const letters = ["a", "a", "b", "c"].map((letter) => new TextEncoder().encode(letter));
  const constraint = constrain(grammar, letters)();
  for (const expected of [[1], [2], [EOS, 3]]) {
    const logits = new Float32Array(4);
    constraint.mask(logits);
    assert.equal(
      [...logits.keys()].filter((token) => logits[token] === 0),
      expected,
    );
    if (expected[0] !== EOS) constraint.accept(expected[0]);
  }
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
