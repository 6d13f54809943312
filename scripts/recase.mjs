// Capitals for lower-cased stories, learnt from stories with capitals.

/** Words that are names: mostly capitalised inside sentences. */
export function learnNames(text) {
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

/** A letter after an exclamation or question in quotation marks, unless it names the speaker. */
const TELLS = "(?:he|she|they|it|we|(?:the|his|her|their|one) [a-z]+|[a-z]+ed|said) ";
const AFTER_CRY = new RegExp(`(?<=[!?]["'] +["']?)(?!${TELLS})[a-z]`, "g");

const capitalize = (word) => word[0].toUpperCase() + word.slice(1);

export function recase(paragraph, names) {
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
