/** Texts of numbers against arithmetic. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { subtract } from "../../src/grammar/characters/combine.js";
import { accepts, isEmpty } from "../../src/grammar/characters/dfa.js";
import { isMultiple } from "../../src/grammar/json-schema/decimal.js";
import type { NumberRule } from "../../src/grammar/json-schema/node.js";
import { numbersOf } from "../../src/grammar/json-schema/numbers.js";
import { seededRandom } from "../support/random.js";

const numbers = suite("numbers");

const COMPARISONS = ["<", "<=", ">", ">=", "!="] as const;
const BOUNDS = [0, 1, -1, 5, 10, 42, 99, 100, -37, 2.5, -0.25, 0.007, 123.456, -100, 1e-7, 3e20];
const FACTORS = [1, 2, 3, 7, 10, 12, 100, 0.5, 0.25, 0.01, 0.3, 1.5];

/** What a rule says of a number. */
function satisfies(value: number, rule: NumberRule): boolean {
  if (rule.kind === "multiple") return isMultiple(value, rule.of) !== rule.isNegated;
  const { comparison, to } = rule;
  if (comparison === "!=") return value !== to;
  const isOrdered = comparison.startsWith("<") ? value < to : value > to;
  return isOrdered || (comparison.endsWith("=") && value === to);
}

numbers("random texts are accepted if and only if their number satisfies the rules", () => {
  const random = seededRandom(3);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)];
  for (let i = 0; i < 200; i++) {
    const rules = Array.from({ length: 1 + Math.floor(random() * 2) }, (): NumberRule => {
      if (random() < 0.6)
        return { kind: "compare", comparison: pick(COMPARISONS), to: pick(BOUNDS) };
      return { kind: "multiple", of: pick(FACTORS), isNegated: random() < 0.3 };
    });
    const dfa = numbersOf(rules);
    const isWhole = rules.some(
      (rule) => rule.kind === "multiple" && !rule.isNegated && Number.isInteger(rule.of),
    );
    for (let j = 0; j < 60; j++) {
      const near = pick(BOUNDS) + pick([0, 0, 0.001, -0.001, 1, -1]);
      const digits = random() < 0.5 ? Math.floor(random() * 4) : 0;
      const value = random() < 0.5 ? near : (random() - 0.5) * 10 ** Math.floor(random() * 5);
      const text = value.toFixed(digits);
      if (text.replace(/\D/g, "").length > 15) continue;
      const isAllowed = rules.every((rule) => satisfies(Number(text), rule));
      const expected = isAllowed && !(isWhole && text.includes("."));
      assert.is(accepts(dfa, text), expected, `${JSON.stringify(rules)} ${text}`);
    }
  }
});

numbers("a number without rules is any that JSON and a double can hold", () => {
  const dfa = numbersOf([]);
  for (const text of ["0", "-0", "10", "-1.50", "1e5", "2.5E-07", "123456789012345", "0.1e+99"]) {
    assert.ok(accepts(dfa, text), text);
    assert.ok(Number.isFinite(JSON.parse(text)));
  }
  const refused = [
    "",
    "-",
    "00",
    "01",
    "1.",
    ".5",
    "1e",
    "1e100",
    "+1",
    "1234567890123456",
    "1e5.0",
  ];
  for (const text of refused) assert.not(accepts(dfa, text), text);
});

numbers("a whole number is the same with a rule that says nothing", () => {
  const whole: NumberRule = { kind: "multiple", of: 1, isNegated: false };
  const unlike: NumberRule = { kind: "compare", comparison: "!=", to: 0.5 };
  const dfas = [numbersOf([whole]), numbersOf([whole, unlike])];
  for (const dfa of dfas) {
    for (const text of ["0", "-0", "7", "-120", "123456789012345"]) assert.ok(accepts(dfa, text));
    for (const text of ["", "-", "01", "1.0", "1e2", "1234567890123456"]) {
      assert.not(accepts(dfa, text), text);
    }
  }
  assert.ok(isEmpty(subtract(dfas[0], dfas[1])));
  assert.ok(isEmpty(subtract(dfas[1], dfas[0])));
});

numbers.run();
