// Stories from lower-cased paragraphs without separators.

const STORY = new RegExp(
  "^(once upon a time|once, |once there |there (was|were|lived) |it was |in a |" +
    "one (day|sunny|morning|night|evening)[ ,]|[a-z]+ (was a|is a|and [a-z]+ (are|were)) )",
);

/** Divides paragraphs into stories: a new one begins at a typical first sentence. */
export function divide(paragraphs, names) {
  const stories = [];
  for (const paragraph of paragraphs) {
    const last = stories.at(-1);
    const length = last?.reduce((sum, part) => sum + part.length, 0) ?? Infinity;
    // A story has a minimal length, and the next has other heroes.
    const hero = paragraph.split(" ", 1)[0];
    const isSame = names.has(hero) && last?.some((part) => part.split(/[^a-z]+/).includes(hero));
    if (STORY.test(paragraph) && length > 350 && !isSame) stories.push([paragraph]);
    else if (last === undefined) stories.push([paragraph]);
    else last.push(paragraph);
  }
  return stories;
}
