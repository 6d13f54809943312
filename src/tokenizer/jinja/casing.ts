/** Upper and lower case, and kinds of characters, as Python's `str` defines them. */
import { charactersOf, WHITESPACE } from "./characters.js";

const capitalized = (text: string): string => {
  const [first = "", ...rest] = charactersOf(text);
  return titleCase(first) + rest.join("").toLowerCase();
};

/** A character at the start of a word. Digraphs such as U+01C6 have a form of their own there. */
function titleCase(character: string): string {
  const digraph = "ǆǅǄǉǈǇǌǋǊǳǲǱ".indexOf(character);
  if (character !== "" && digraph >= 0) return "ǅǅǅǈǈǈǋǋǋǲǲǲ"[digraph];
  const [first = "", ...rest] = charactersOf(character.toUpperCase());
  return first + rest.join("").toLowerCase();
}

const titled = (text: string): string =>
  text.replace(/[\p{Cased}\p{M}]+/gu, (word) => capitalized(word));

const swapped = (text: string): string =>
  charactersOf(text)
    .map((c) => (/\p{Lu}/u.test(c) ? c.toLowerCase() : /\p{Ll}/u.test(c) ? c.toUpperCase() : c))
    .join("");

/** Methods without arguments that return a str. */
export const CASE_METHODS: ReadonlyMap<string, (text: string) => string> = new Map([
  ["upper", (text: string) => text.toUpperCase()],
  ["lower", (text: string) => text.toLowerCase()],
  ["casefold", (text: string) => text.toLowerCase().replaceAll("ß", "ss").replaceAll("ς", "σ")],
  ["capitalize", capitalized],
  ["title", titled],
  ["swapcase", swapped],
]);

const all =
  (pattern: string) =>
  (text: string): boolean =>
    new RegExp(`^(?:${pattern})+$`, "u").test(text);

const isUpper = (text: string): boolean =>
  /\p{Lu}/u.test(text) && !/[\p{Ll}\p{Lt}]/u.test(text.replace(/[ªº]/g, ""));
const isLower = (text: string): boolean => /\p{Ll}/u.test(text) && !/[\p{Lu}\p{Lt}]/u.test(text);

/** Every run of cased characters begins with upper case and continues in lower case. */
function isTitle(text: string): boolean {
  const words = text.match(/\p{Cased}+/gu) ?? [];
  return words.length > 0 && words.every((word) => /^[\p{Lu}\p{Lt}]\P{Lu}*$/u.test(word));
}

/** Methods without arguments that return a bool. */
export const KIND_METHODS: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ["isupper", isUpper],
  ["islower", isLower],
  ["istitle", isTitle],
  ["isspace", all(`[${WHITESPACE}]`)],
  ["isalpha", all("\\p{L}")],
  ["isdecimal", all("\\p{Nd}")],
  ["isdigit", all("[\\p{Nd}²³¹⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐⓵-⓽❶-❾➀-➈➊-➒]")],
  ["isnumeric", all("\\p{N}")],
  ["isalnum", all("[\\p{L}\\p{N}]")],
  ["isascii", (text: string) => /^[\0-\x7f]*$/.test(text)],
  ["isidentifier", (text: string) => /^[\p{ID_Start}_]\p{ID_Continue}*$/u.test(text)],
  ["isprintable", (text: string) => !/[\p{C}\p{Z}]/u.test(text.replaceAll(" ", ""))],
]);
