/** Masks of tokens against those of xgrammar, along random texts. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { createConstraint } from "../../src/grammar/constraints.js";
import { inspectModel } from "../../src/index.js";
import { seededRandom } from "../support/random.js";
import { loadXGrammar } from "./support/xgrammar.js";

const GRAMMARS: Readonly<Record<string, string>> = {
  json: String.raw`root ::= object
value ::= object | array | string | number | "true" | "false" | "null"
object ::= "{" ws ( pair ("," ws pair)* ws )? "}"
pair ::= string ":" ws value
array ::= "[" ws ( value ("," ws value)* ws )? "]"
string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt/] | "u" [0-9a-fA-F]{4}) )* "\""
number ::= "-"? ("0" | [1-9] [0-9]*) ("." [0-9]+)? ([eE] [-+]? [0-9]+)?
ws ::= [ \n]?`,
  sums: `root ::= term ("+" term)*
term ::= factor (" * " factor)*
factor ::= [0-9]+ | "(" root ")" | [a-z]{1,3} "(" (root ", "?)* ")"`,
  words: `root ::= ("the " | "then " | "there" [a-z]* " " | "a " [a-z]+ " "){2,6} "."`,
  letters: `root ::= ("é" | "è" | "漢字" | "漢" [a-c] | "😀")+ "x"`,
};

const { gguf, tokenizer } = await inspectModel("models/plm-test.gguf");
const { bytes, offsets } = tokenizer.tokenTexts();
const { vocabSize, eosTokenIds } = tokenizer;
const { GrammarCompiler, GrammarMatcher, TokenizerInfo } = loadXGrammar();

const info = await TokenizerInfo.createTokenizerInfo(
  gguf.metadata.get("tokenizer.ggml.tokens") as string[],
  "byte_level",
  false,
  vocabSize,
  [...eosTokenIds],
);
const compiler = await GrammarCompiler.createGrammarCompiler(info);

/** Whether xgrammar may be right to allow it: no control token, no bytes that UTF-8 never has. */
function isText(id: number): boolean {
  const own = bytes.subarray(offsets[id], offsets[id + 1]);
  return own.length > 0 && !own.some((byte) => byte === 0xc0 || byte === 0xc1 || byte > 0xf4);
}

for (const [name, grammar] of Object.entries(GRAMMARS)) {
  test(name, async () => {
    const random = seededRandom(5);
    const compiled = await compiler.compileGrammar(grammar);
    for (let text = 0; text < 6; text++) {
      const matcher = await GrammarMatcher.createGrammarMatcher(compiled);
      const constraint = createConstraint(tokenizer, { type: "grammar", text: grammar });
      for (let step = 0; step < 25; step++) {
        const logits = new Float32Array(vocabSize);
        constraint.mask(logits);
        const bits = await matcher.getNextTokenBitmask();
        const ours = [...logits.keys()].filter((id) => logits[id] === 0);
        const theirs = [...logits.keys()].filter(
          (id) => (bits[id >> 5] >>> (id & 31)) & 1 && (eosTokenIds.has(id) || isText(id)),
        );
        const known = new Set(theirs);
        const only = ours.filter((id) => !known.delete(id)).concat(...known);
        assert.equal(
          only.map((id) => tokenizer.decode([id])),
          [],
          "tokens of one alone",
        );
        const next = ours.filter((id) => !eosTokenIds.has(id));
        if (next.length === 0) break;
        const token = next[Math.floor(random() * next.length)];
        constraint.accept(token);
        assert.ok(matcher.acceptToken(token));
      }
      matcher.dispose();
    }
  });
}

test.run();
