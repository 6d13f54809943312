// Makes the texts that models/plm-tiny.json learns from, stories between lines <|endoftext|> with
// blank lines between their paragraphs:
//
//   node scripts/prepare-stories.mjs DATA OUT
//
// DATA has folders tinystories and children-stories-cc-by (models/README.md says what they are). OUT
// gets stories.txt; recased.txt, lower-cased stories with their capitals as stories.txt teaches
// them, without those of which a paragraph is in stories.txt or in the held-out text; and
// children.txt, its hard-wrapped lines joined.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { learnNames, recase } from "./recase.mjs";

const [data, out] = process.argv.slice(2);
if (out === undefined) throw new Error("expected two paths: DATA OUT");
const SEPARATOR = "<|endoftext|>";

/** UTF-8 that was read as Windows-1252 on its way. */
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

const STORY =
  /^(once upon a time|once, |once there |there (was|were|lived) |one (day|sunny|morning|night|evening)[ ,]|it was |in a |[a-z]+ (was a|is a|and [a-z]+ (are|were)) )/;

/** Stories of a text without separators: a new one where something begins as stories do. */
function divide(paragraphs, names) {
  const stories = [];
  for (const paragraph of paragraphs) {
    const last = stories.at(-1);
    const length = last?.reduce((sum, part) => sum + part.length, 0) ?? Infinity;
    // Stories have some length before another begins, and the next has other heroes.
    const hero = paragraph.split(" ", 1)[0];
    const isSame = names.has(hero) && last?.some((part) => part.split(/[^a-z]+/).includes(hero));
    if (STORY.test(paragraph) && length > 350 && !isSame) stories.push([paragraph]);
    else if (last === undefined) stories.push([paragraph]);
    else last.push(paragraph);
  }
  return stories;
}

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

const children = read("children-stories-cc-by", "stories.txt").split(SEPARATOR);
const unwrapped = children.map((story) =>
  story
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.replace(/\s+/g, " ").trim())
    .filter((paragraph) => paragraph !== ""),
);
write(
  "children.txt",
  unwrapped.filter((story) => story.length > 1),
);
