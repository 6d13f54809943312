/**
 * The official JSON Schema test suite: no grammar accepts what its schema refuses. The table of the
 * docs is written by `WRITE_TABLE=1 node build/test/grammar/official-suite.test.js`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { officialRows, tableOf } from "./support/official-suite.js";

const official = suite("official JSON Schema test suite");

const DOCS = "docs/structured-output.md";
const TABLE = /(?<=<!-- table -->\n)[\s\S]*?(?=\n<!-- end of table -->)/;

const found = officialRows();
const rows = found ?? [];

if (found === undefined) console.log("skipped, as libtest-json-schema-acceptance-perl is missing");
const check = found === undefined ? official.skip : official;

check("no invalid instance is accepted", () => {
  assert.ok(rows.length > 70);
  assert.equal(
    rows.flatMap(({ loosened }) => loosened),
    [],
  );
});

check("schemas are honoured or refused by keyword", () => {
  const refused = rows.flatMap((row) => row.refused);
  const reasons = /(without|as) "[$\w]+" \(at #|that some value satisfies, got|"multipleOf"/;
  for (const reason of refused) assert.match(reason, reasons);
  assert.ok(rows.reduce((sum, { honoured }) => sum + honoured, 0) > 3 * refused.length);
});

check("the table of the docs is up to date", () => {
  const text = readFileSync(DOCS, "utf8");
  const table = tableOf(rows);
  if (process.env.WRITE_TABLE)
    writeFileSync(
      DOCS,
      text.replace(TABLE, () => table),
    );
  else assert.is(TABLE.exec(text)?.[0], table);
});

official.run();
