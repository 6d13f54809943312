/** Numbers as people read them. */

const UNITS = ["B", "kB", "MB", "GB"];

/** Three digits and a unit: "7.45 MB". */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${UNITS[unit]}`;
}

/** "1.83 billion", "7.00 million", "160,000". */
export function formatCount(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toPrecision(3)} billion`;
  if (count >= 1e6) return `${(count / 1e6).toPrecision(3)} million`;
  return count.toLocaleString("en");
}

/** A rate with two or three digits. */
export function formatRate(rate: number): string {
  return rate >= 100 ? Math.round(rate).toLocaleString("en") : rate.toPrecision(2);
}

/** A share from 0 to 1 as a percentage. */
export function formatShare(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** "40 s", "3 min". */
export function formatSeconds(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}
