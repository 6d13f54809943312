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

/** Words that are names: mostly capital where no sentence begins. */
function learnNames(text) {
  const counts = new Map();
  // After a letter, a comma or a semicolon and a space, nothing begins.
  for (const [, word] of text.matchAll(/(?<=[a-z,;] )([A-Za-z]+)/g)) {
    const key = word.toLowerCase();
    const [capital, all] = counts.get(key) ?? [0, 0];
    counts.set(key, [capital + Number(word !== key), all + 1]);
  }
  const names = new Set(["i"]);
  for (const [word, [capital, all]] of counts) {
    if (capital >= 2 && capital > 0.8 * all) names.add(word);
  }
  return names;
}

/** A letter after a cry or question in quotation marks, unless it tells who speaks. */
const AFTER_CRY =
  /(?<=[!?]["'] +["']?)(?!(?:he|she|they|it|we|(?:the|his|her|their|one) [a-z]+|[a-z]+ed|said) )[a-z]/g;

const capitalize = (word) => word[0].toUpperCase() + word.slice(1);

function recase(paragraph, names) {
  const named = paragraph.replace(/[a-z]+/g, (word, at) => {
    const isPart = at > 1 && paragraph[at - 1] === "'" && /[a-z]/.test(paragraph[at - 2]);
    return names.has(word) && !isPart ? capitalize(word) : word;
  });
  // The paragraph's first letter, those after a full stop, and those that quotations begin with.
  return named
    .replace(/^["']?[a-z]/, (start) => start.toUpperCase())
    .replace(/(?<=[.!?] +["']?|\.["'] +["']?)[a-z]/g, (letter) => letter.toUpperCase())
    .replace(AFTER_CRY, (letter) => letter.toUpperCase())
    .replace(/(?<=[,:] ")[a-z]/g, (letter) => letter.toUpperCase());
}

const key = (paragraph) =>
  paragraph
    .toLowerCase()
    .replace(/[^a-z]+/g, " ")
    .trim();
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
