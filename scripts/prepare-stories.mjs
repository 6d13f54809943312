// Makes the texts that models/plm-tiny.json learns from, stories between lines <|endoftext|> with
// blank lines between their paragraphs:
//   node scripts/prepare-stories.mjs DATA OUT
//
// DATA has folders tinystories, children-stories-cc-by, fairytaleqa and andersen (models/README.md
// says what they are). OUT gets stories.txt; recased.txt, lower-cased stories with capitals, less
// those of which a paragraph is in stories.txt or the held-out text; children.txt and tales.txt,
// their hard-wrapped lines joined.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { divide } from "./divide-stories.mjs";
import { learnNames, recase } from "./recase.mjs";

const [data, out] = process.argv.slice(2);
if (out === undefined) throw new Error("expected two paths: DATA OUT");
const SEPARATOR = "<|endoftext|>";

/** UTF-8 that was wrongly decoded as Windows-1252. */
const MISREAD = { "\u00e2\u20ac\u0153": '"', "\u00e2\u20ac\u2122": "'", "\u00e2\u20ac\u02dc": "'" };

function read(...path) {
  let text = readFileSync(join(data, ...path), "utf8");
  for (const [wrong, right] of Object.entries(MISREAD)) text = text.replaceAll(wrong, right);
  return text
    .replace(/\u00e2\u20ac[\u009d\u0081]?/g, '"')
    .replace(/[\u201c\u201d]/g, '"')
    .replace(/[\u2018\u2019]/g, "'");
}

function write(name, stories) {
  const text = stories.map((paragraphs) => paragraphs.join("\n\n")).join(`\n${SEPARATOR}\n`);
  writeFileSync(join(out, name), `${text}\n${SEPARATOR}\n`);
  console.log(`${name}: ${stories.length} stories, ${text.length} characters`);
}

const key = (paragraph) => (paragraph.toLowerCase().match(/[a-z]+/g) ?? []).join(" ");
const paragraphsOf = (text) =>
  text
    .replaceAll(SEPARATOR, "\n\n")
    .split(/\n+/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== "");

mkdirSync(out, { recursive: true });
const cased = read("tinystories", "tinystories-train.txt");
const heldOut = read("tinystories", "tinystories-valid-0.8MB.no-separators.txt");
write(
  "stories.txt",
  cased
    .split(SEPARATOR)
    .map(paragraphsOf)
    .filter((story) => story.length > 0),
);

const names = learnNames(cased);
const known = new Set(
  [cased, heldOut]
    .flatMap(paragraphsOf)
    .map(key)
    .filter(({ length }) => length > 40),
);
const lowercase = read("tinystories", "tinystories-train-v1.lowercase-4.2MB.no-separators.txt");
const fresh = divide(paragraphsOf(lowercase), names).filter(
  (story) => !story.some((paragraph) => known.has(key(paragraph))),
);
write(
  "recased.txt",
  fresh.map((story) => story.map((paragraph) => recase(paragraph, names))),
);

/** Stories between separators whose paragraphs may be wrapped. */
function writeUnwrapped(name, ...texts) {
  const unwrapped = texts
    .flatMap((text) => text.split(SEPARATOR))
    .map((story) => story.split(/\n\s*\n/).map((part) => part.replace(/\s+/g, " ").trim()))
    .map((story) => story.filter((paragraph) => paragraph !== ""));
  write(
    name,
    unwrapped.filter((story) => story.length > 1),
  );
}

writeUnwrapped("children.txt", read("children-stories-cc-by", "stories.txt"));
const andersen = read("andersen", "andersen-156-tales.txt");
writeUnwrapped("tales.txt", read("fairytaleqa", "fairytales-278.txt"), andersen);
