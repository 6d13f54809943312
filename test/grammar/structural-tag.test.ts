/** Structural tags: which texts have them, by the reference. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type StructuralTags, structuralTagGrammar } from "../../src/grammar/structural-tag.js";
import { recognizes } from "./support/recognize.js";

const STRUCTURES = [
  { begin: "<a>", schema: { type: "integer" }, end: "</a>" },
  { begin: "<ab>", schema: { enum: ["x"] }, end: "." },
  { begin: "[b:", schema: true, end: "]" },
];

/** Checks which texts there are with some options. */
function check(
  options: Partial<StructuralTags>,
  accepted: readonly string[],
  refused: readonly string[],
): void {
  const grammar = structuralTagGrammar({
    structures: STRUCTURES,
    triggers: ["<a", "[b:"],
    ...options,
  });
  for (const text of accepted) assert.ok(recognizes(grammar, text), text);
  for (const text of refused) assert.not(recognizes(grammar, text), text);
}

test("free text with tags, as many as come", () => {
  check(
    {},
    ["", "text < [b", "é <a>1</a>", '<a>-2</a><ab>"x".[b:[1,{"k":null}]] end', "<<a>3</a>a>"],
    ["<a", "x <a>", "<a>x</a>", "<a>1</a> <a>", "<ab>1.", "[b:]", "<abc>"],
  );
});

test("at least one, and no more than the first", () => {
  check({ atLeastOne: true }, ["<a>1</a>", "<a>1</a> and <a>2</a>."], ["", " <a>1</a>", "x"]);
  check({ stopAfterFirst: true }, ["", "x", "x <a>1</a>"], ["<a>1</a> ", "<a>1</a><a>1</a>"]);
  check(
    { atLeastOne: true, stopAfterFirst: true },
    ["<a>1</a>", "[b:{}]"],
    ["", "x<a>1</a>", "<a>1</a>x"],
  );
});

test("a separator leaves no room for free text", () => {
  check(
    { atLeastOne: true, separator: "\n" },
    ["<a>1</a>", "<a>1</a>\n<a>2</a>\n[b:0]"],
    ["", "<a>1</a><a>2</a>", "<a>1</a>\n", "<a>1</a> x"],
  );
  check({ separator: ", " }, ["", "<a>1</a>, <a>2</a>"], ["x", ", <a>1</a>"]);
});

test("an empty trigger is for a text that is one structure", () => {
  const structures = [...STRUCTURES, { begin: "", schema: { type: "object" }, end: "" }];
  check(
    { structures, triggers: ["<a", "[b:", ""], atLeastOne: true, stopAfterFirst: true },
    ["<a>1</a>", "{}", '{"a":1}'],
    ["", "x", "{}<a>1</a>"],
  );
});

test("triggers that are parts of each other, in any bytes", () => {
  check(
    { triggers: ["<a>", "<ab", "[b:", "aba"], structures: STRUCTURES },
    ["ab ab", "<a<a>1</a>", '<<ab>"x".', "abba"],
    ["ababa", "xaba", "<ab"],
  );
});

test.run();
