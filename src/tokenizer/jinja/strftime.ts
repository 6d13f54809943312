/** Python's `strftime` with English names: what transformers' `strftime_now` returns. */
import { fail } from "./failure.js";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  ...["January", "February", "March", "April", "May", "June", "July"],
  ...["August", "September", "October", "November", "December"],
];
const MS_A_DAY = 86_400_000;

/** Codes that are short for others. */
const COMPOSED: Readonly<Record<string, string>> = {
  c: "%a %b %e %H:%M:%S %Y",
  D: "%m/%d/%y",
  F: "%Y-%m-%d",
  h: "%b",
  r: "%I:%M:%S %p",
  R: "%H:%M",
  T: "%H:%M:%S",
  x: "%m/%d/%y",
  X: "%H:%M:%S",
};

/** The value of a code: text, or a number with its padding character and width. */
type Field = string | readonly [value: number, width: number, filler?: string];

const FIELDS: Readonly<Record<string, (time: Date) => Field>> = {
  a: (time) => DAYS[time.getDay()].slice(0, 3),
  A: (time) => DAYS[time.getDay()],
  b: (time) => MONTHS[time.getMonth()].slice(0, 3),
  B: (time) => MONTHS[time.getMonth()],
  C: (time) => [Math.floor(time.getFullYear() / 100), 2],
  d: (time) => [time.getDate(), 2],
  e: (time) => [time.getDate(), 2, " "],
  f: (time) => [time.getMilliseconds() * 1000, 6],
  g: (time) => [isoWeek(time).year % 100, 2],
  G: (time) => [isoWeek(time).year, 1],
  H: (time) => [time.getHours(), 2],
  I: (time) => [time.getHours() % 12 || 12, 2],
  j: (time) => [dayOfYear(time) + 1, 3],
  k: (time) => [time.getHours(), 2, " "],
  l: (time) => [time.getHours() % 12 || 12, 2, " "],
  m: (time) => [time.getMonth() + 1, 2],
  M: (time) => [time.getMinutes(), 2],
  n: () => "\n",
  p: (time) => (time.getHours() < 12 ? "AM" : "PM"),
  P: (time) => (time.getHours() < 12 ? "am" : "pm"),
  s: (time) => [Math.floor(time.getTime() / 1000), 1],
  S: (time) => [time.getSeconds(), 2],
  t: () => "\t",
  u: (time) => [time.getDay() || 7, 1],
  U: (time) => [weekOfYear(time, time.getDay()), 2],
  V: (time) => [isoWeek(time).week, 2],
  w: (time) => [time.getDay(), 1],
  W: (time) => [weekOfYear(time, (time.getDay() + 6) % 7), 2],
  y: (time) => [time.getFullYear() % 100, 2],
  Y: (time) => [time.getFullYear(), 1],
  // `datetime.now()` has no time zone.
  z: () => "",
  Z: () => "",
};

/**
 * `time.strftime(format)` of a time in the local zone. Fails for an unknown code. The flags are
 * those of glibc: `-` pads with nothing, `_` with spaces, `0` with zeros; `^` is upper case.
 */
export function strftime(time: Date, format: string): string {
  return format.replace(/%([-_0^#]?)(.?)/gs, (directive, flag: string, code: string) => {
    if (code === "%") return "%";
    if (Object.hasOwn(COMPOSED, code)) return strftime(time, COMPOSED[code]);
    if (!Object.hasOwn(FIELDS, code)) {
      return fail(`strftime_now: the code ${JSON.stringify(directive)} is not supported`);
    }
    const field = FIELDS[code](time);
    if (typeof field === "string") {
      return flag === "^" || flag === "#" ? field.toUpperCase() : field;
    }
    const [value, width, filler = "0"] = field;
    if (flag === "-") return String(value);
    return String(value).padStart(width, flag === "_" ? " " : flag === "0" ? "0" : filler);
  });
}

/** From 0. Counted in UTC, where all days have the same length. */
function dayOfYear(time: Date): number {
  const year = time.getFullYear();
  const day = Date.UTC(year, time.getMonth(), time.getDate());
  return Math.round((day - Date.UTC(year, 0, 1)) / MS_A_DAY);
}

/** Weeks begun since January 1, where `weekday` counts from the first day of a week. */
function weekOfYear(time: Date, weekday: number): number {
  return Math.floor((dayOfYear(time) + 7 - weekday) / 7);
}

/** ISO 8601: the week belongs to the year of its Thursday. */
function isoWeek(time: Date): { year: number; week: number } {
  const thursday = new Date(time.getFullYear(), time.getMonth(), time.getDate());
  thursday.setDate(thursday.getDate() + 4 - (time.getDay() || 7));
  return { year: thursday.getFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 };
}
