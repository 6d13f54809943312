/** The flags of an answer's form. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { assertFails, folder, model, output } from "./support/plm.js";

const SCHEMA = '{"enum": ["yes", "no"]}';
const GRAMMAR = 'root ::= "yes" | "no"';
const schemaFile = join(folder, "schema.json");
const grammarFile = join(folder, "grammar.gbnf");
writeFileSync(schemaFile, SCHEMA);
writeFileSync(grammarFile, GRAMMAR);

const generate = ["generate", "-m", model, "-p", "Well?", "-n", "20", "--seed", "1"];

test("a schema, a grammar or a regular expression, as text or in a file", async () => {
  const all: [flags: string[], expected: RegExp][] = [
    [["--json-schema", SCHEMA], /^\s*"(yes|no)"\n$/],
    [["--json-schema-file", schemaFile], /^\s*"(yes|no)"\n$/],
    [["--grammar", GRAMMAR], /^(yes|no)\n$/],
    [["--grammar-file", grammarFile], /^(yes|no)\n$/],
    [["--regex", "yes|no"], /^(yes|no)\n$/],
  ];
  for (const [flags, expected] of all) assert.match(await output(...generate, ...flags), expected);
});

test("what cannot be honoured is refused before the model is loaded", async () => {
  await assertFails(
    /responseFormat.*uniqueItems/,
    ...generate,
    "--json-schema",
    '{"type":"array","uniqueItems":true}',
  );
  await assertFails(/--json-schema: expected a JSON Schema/, ...generate, "--json-schema", "{");
  await assertFails(/--json-schema: expected a JSON Schema/, ...generate, "--json-schema", "[]");
  await assertFails(/line 1: expected `::=`/, ...generate, "--grammar", "root = x");
  await assertFails(/lookahead/, ...generate, "--regex", "(?=a)b");
  await assertFails(/--grammar-file: .*ENOENT/, ...generate, "--grammar-file", "none.gbnf");
  await assertFails(
    /cannot be used with option/,
    ...generate,
    "--regex",
    "a",
    "--grammar",
    GRAMMAR,
  );
});

test.run();
