/** Looks at the keys of JSON, of which JSON.parse keeps the last where one comes twice. */

/** A key that comes twice in the outermost object of valid JSON; undefined if none does. */
export function repeatedKey(json: string): string | undefined {
  const keys = new Set<string>();
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    const char = json[i];
    if (char === "{" || char === "[") depth++;
    else if (char === "}" || char === "]") depth--;
    else if (char === '"') {
      const end = endOfString(json, i);
      if (depth === 1 && isKey(json, end)) {
        const key = JSON.parse(json.slice(i, end)) as string;
        if (keys.has(key)) return key;
        keys.add(key);
      }
      i = end - 1;
    }
  }
  return undefined;
}

/** Where the string that begins at `start` ends, behind its quotation mark. */
function endOfString(json: string, start: number): number {
  let i = start + 1;
  while (json[i] !== '"') i += json[i] === "\\" ? 2 : 1;
  return i + 1;
}

/** Whether a colon follows. */
function isKey(json: string, end: number): boolean {
  let i = end;
  while (" \t\n\r".includes(json[i])) i++;
  return json[i] === ":";
}
