/** Reads JSON objects member by member and collects every complaint, so that one error has all. */

/** What a number must be, as f64 and, unless it has a unit, as the f32 that kernels get. */
export interface NumberRange {
  /** The least it may be. */
  readonly min?: number;
  /** The most it may be. */
  readonly max?: number;
  /** It must be more than this. */
  readonly above?: number;
  /** It must be less than this. */
  readonly below?: number;
  /** It must be a whole multiple of this. */
  readonly unit?: number;
  /** Its value where the key is absent; without it, the key is required. */
  readonly fallback?: number;
}

/** One object of a JSON document, and the complaints about the whole document. */
export class ConfigReader {
  /** Complaints so far, shared by all readers of a document. */
  readonly problems: string[];
  /** Whether this is an object at all; if not, that was complained of and its members are not. */
  readonly present: boolean;
  readonly #path: string;
  readonly #members: Readonly<Record<string, unknown>>;
  readonly #known = new Set<string>();

  /** `path` is where the object is in the document, "" for the document itself. */
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

  /** Whether the key is there; it is known from here on. */
  has(key: string): boolean {
    this.#known.add(key);
    return Object.hasOwn(this.#members, key);
  }

  /** The member as it is, undefined where there is none; its key is known from here on. */
  value(key: string): unknown {
    return this.has(key) ? this.#members[key] : undefined;
  }

  /** A number in the range, or NaN and a complaint. */
  number(key: string, range: NumberRange = {}): number {
    const value = this.value(key);
    if (value === undefined && range.fallback !== undefined) return range.fallback;
    if (typeof value === "number" && isWithin(value, range)) return value;
    this.complain(key, describeRange(range), value);
    return Number.NaN;
  }

  /** A text that is not empty, or "" and a complaint. */
  text(key: string): string {
    const value = this.value(key);
    if (typeof value === "string" && value !== "") return value;
    this.complain(key, "a text that is not empty", value);
    return "";
  }

  /** One of the values, or the first and a complaint; the first where the key is absent. */
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
    // Members of what is missing are not missing as well.
    if (!this.present) return new ConfigReader(undefined, "", []);
    return new ConfigReader(value, this.pathOf(key), this.problems);
  }

  /** Complains about a member, or about the object itself for key "". */
  complain(key: string, expected: string, got: unknown): void {
    if (key !== "" && !this.present) return;
    const path = this.pathOf(key) || "config";
    this.problems.push(`${path}: expected ${expected}, got ${describe(got)}`);
  }

  /** Complains about every member that nothing has asked for, with the nearest that was. */
  refuseUnknown(): void {
    for (const key of this.keys()) {
      if (this.#known.has(key)) continue;
      const nearest = nearestOf(key, [...this.#known]);
      this.problems.push(`${this.pathOf(key)}: unknown key; the nearest known one is ${nearest}`);
    }
  }

  /** Where a member is in the document. */
  pathOf(key: string): string {
    return [this.#path, key].filter((part) => part !== "").join(".");
  }
}

/** Whether a JSON value is an object, not an array and not null. */
function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a number is finite and as the range says. */
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

/** The candidate that takes the fewest edits, the first of several; `""` of none. */
export function nearestOf(word: string, candidates: readonly string[]): string {
  let nearest = "";
  let fewest = Infinity;
  for (const candidate of candidates) {
    const edits = editDistance(word.toLowerCase().slice(0, 64), candidate.toLowerCase());
    if (edits < fewest) [nearest, fewest] = [candidate, edits];
  }
  return nearest;
}

/** Levenshtein's distance. */
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
