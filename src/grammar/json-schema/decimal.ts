/** Numbers by the decimal digits that JavaScript writes them with, for exact comparisons. */

/** `digits` / 10 ** `scale`, of either sign. */
export interface Decimal {
  readonly isNegative: boolean;
  /** Without leading zeros; "" is zero. */
  readonly digits: string;
  /** How many of the digits, or of zeros before them, are behind the point. */
  readonly scale: number;
}

export function decimalOf(value: number): Decimal {
  const [, sign, whole, fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value))!;
  const power = Number(exponent);
  const padding = "0".repeat(Math.max(0, power - fraction.length));
  const digits = (whole + fraction + padding).replace(/^0+/, "");
  return { isNegative: sign === "-", digits, scale: Math.max(0, fraction.length - power) };
}

/** Whether a number is a multiple of another, as decimals. */
export function isMultiple(value: number, of: number): boolean {
  const a = decimalOf(value);
  const b = decimalOf(of);
  const scale = Math.max(a.scale, b.scale);
  return scaled(a, scale) % scaled(b, scale) === 0n;
}

const scaled = ({ digits, scale }: Decimal, to: number): bigint =>
  BigInt(digits || "0") * 10n ** BigInt(to - scale);
