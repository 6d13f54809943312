/** Reads JSON objects member by member and collects every problem, so that one error names all. */

/** A number's range, as f64 and, unless it has a unit, as the f32 that kernels receive. */
export interface NumberRange {
  /** The least valid value. */
  readonly min?: number;
  /** The greatest valid value. */
  readonly max?: number;
  /** It must be more than this. */
  readonly above?: number;
  /** It must be less than this. */
  readonly below?: number;
  /** It must be a whole multiple of this. */
  readonly unit?: number;
  /** The default; without one, the key is required. */
  readonly fallback?: number;
}

/** One object of a JSON document, and the problems of the whole document. */
export class ConfigReader {
  /** Problems so far, shared by all readers of a document. */
  readonly problems: string[];
  /** Whether this is an object; if not, that was reported, and its members are not. */
  readonly present: boolean;
  readonly #path: string;
  readonly #members: Readonly<Record<string, unknown>>;
  readonly #known = new Set<string>();

  /** `path` is the object's place in the document, "" for the document itself. */
  constructor(value: unknown, path: string, problems: string[]) {
    this.problems = problems;
    this.#path = path;
    this.present = isObject(value);
    this.#members = isObject(value) ? value : {};
    if (!this.present) this.complain("", "an object", value);
  }

  /** The names of all members. */
  keys(): string[] {
    return Object.keys(this.#members);
  }

  /** Whether the key exists; it is known from then on. */
  has(key: string): boolean {
    this.#known.add(key);
    return Object.hasOwn(this.#members, key);
  }

  /** The member as it is, undefined if missing; its key is known from then on. */
  value(key: string): unknown {
    return this.has(key) ? this.#members[key] : undefined;
  }

  /** A number in the range, or NaN and a problem. */
  number(key: string, range: NumberRange = {}): number {
    const value = this.value(key);
    if (value === undefined && range.fallback !== undefined) return range.fallback;
    if (typeof value === "number" && isWithin(value, range)) return value;
    this.complain(key, describeRange(range), value);
    return Number.NaN;
  }

  /** A text that is not empty, or "" and a problem. */
  text(key: string): string {
    const value = this.value(key);
    if (typeof value === "string" && value !== "") return value;
    this.complain(key, "a text that is not empty", value);
    return "";
  }

  /** One of the values, or the first and a problem; the first if the key is missing. */
  oneOf<T extends string>(key: string, values: readonly [T, ...T[]]): T {
    const value = this.value(key);
    if (value === undefined) return values[0];
    const found = values.find((known) => known === value);
    if (found === undefined) this.complain(key, values.map(quote).join(" or "), value);
    return found ?? values[0];
  }

  /** The object of that key. */
  child(key: string): ConfigReader {
    const value = this.value(key);
    // The members of a missing object are not reported.
    if (!this.present) return new ConfigReader(undefined, "", []);
    return new ConfigReader(value, this.pathOf(key), this.problems);
  }

  /** Reports a member, or with the key "" the object itself. */
  complain(key: string, expected: string, got: unknown): void {
    if (key !== "" && !this.present) return;
    const path = this.pathOf(key) || "config";
    this.problems.push(`${path}: expected ${expected}, got ${describe(got)}`);
  }

  /** Reports every member whose key is not known, with the nearest known key. */
  refuseUnknown(): void {
    for (const key of this.keys()) {
      if (this.#known.has(key)) continue;
      const nearest = nearestOf(key, [...this.#known]);
      this.problems.push(`${this.pathOf(key)}: unknown key; the nearest known one is ${nearest}`);
    }
  }

  /** A member's place in the document. */
  pathOf(key: string): string {
    return [this.#path, key].filter((part) => part !== "").join(".");
  }
}

/** Whether a JSON value is an object, not an array and not null. */
function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a number is finite and in the range. */
export function isWithin(value: number, range: NumberRange): boolean {
  const { min = -Infinity, max = Infinity, above = -Infinity, below = Infinity, unit } = range;
  if (!Number.isFinite(value) || (unit !== undefined && value % unit !== 0)) return false;
  const single = unit === undefined ? Math.fround(value) : value;
  if (!Number.isFinite(single) || single <= above || single >= below) return false;
  return value >= min && value <= max && value > above && value < below;
}

/** "an integer from 1 to 8", "an f32 number above 0", "a multiple of 32 from 32". */
function describeRange({ min, max, above, below, unit }: NumberRange): string {
  const parts = [
    unit === undefined ? "an f32 number" : unit === 1 ? "an integer" : "a multiple of",
  ];
  if (unit !== undefined && unit !== 1) parts.push(`${unit}`);
  if (min !== undefined) parts.push(`from ${min}`);
  if (above !== undefined) parts.push(`above ${above}`);
  if (max !== undefined) parts.push(`to ${max}`);
  if (below !== undefined) parts.push(`below ${below}`);
  return parts.join(" ");
}

const quote = (text: string): string => JSON.stringify(text);

/** A JSON value in a few words. */
export function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return quote(value.slice(0, 80));
  if (Array.isArray(value)) return "an array";
  return isObject(value) ? "an object" : String(value);
}

/** The candidate that takes the fewest edits, the first of several; "" without candidates. */
export function nearestOf(word: string, candidates: readonly string[]): string {
  let nearest = "";
  let fewest = Infinity;
  for (const candidate of candidates) {
    const edits = editDistance(word.toLowerCase().slice(0, 64), candidate.toLowerCase());
    if (edits < fewest) [nearest, fewest] = [candidate, edits];
  }
  return nearest;
}

/** The Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
