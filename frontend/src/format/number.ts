/** Numbers and what they measure. Groups are set apart by narrow spaces, as readers of all countries understand. */

/** Shown where a value is not known. */
export const UNKNOWN = "–";

const PREFIXES = ["", "k", "M", "G", "T", "P", "E"];
const GROUP = "\u202f";
const SPACE = "\u00a0";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });

/** A number with all its digits before the point: `1 204`, `0.125`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  return (Math.abs(value) >= 1000 || Number.isInteger(value) ? whole : fine).format(value).replaceAll(",", GROUP);
}

/** A number of three digits and an SI prefix (powers of 1000): `["1.23", "G"]`. */
export function scaled(value: number): [string, string] {
  if (!Number.isFinite(value)) return [UNKNOWN, ""];
  let rest = Math.abs(value);
  let step = 0;
  while (rest >= 999.5 && step < PREFIXES.length - 1) {
    rest /= 1000;
    step++;
  }
  const digits = rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : rest === 0 ? 0 : 2;
  const text = step === 0 && Number.isInteger(rest) ? String(rest) : rest.toFixed(digits);
  const sign = value < 0 && Number(text) !== 0 ? "−" : "";
  return [sign + text, PREFIXES[step] ?? ""];
}

/** A number with a prefix and the name of its unit: `1.23 Gbit/s`. */
export function formatScaled(value: number, unit: string): string {
  const [number, prefix] = scaled(value);
  return number === UNKNOWN ? UNKNOWN : `${number}${SPACE}${prefix}${unit}`.trimEnd();
}

/** A count in few digits: `12.3 k`. */
export function formatCount(value: number): string {
  return formatScaled(value, "").trimEnd();
}

export function formatBytes(value: number): string {
  return formatScaled(value, "B");
}

/** A share of the whole, 0 to 1: `12.3 %`. */
export function formatShare(share: number): string {
  return formatPercent(share * 100);
}

/** Per cent: `12.3 %`; what is small but not nothing is `< 0.1 %`. */
export function formatPercent(percent: number): string {
  if (!Number.isFinite(percent)) return UNKNOWN;
  const size = Math.abs(percent);
  if (size > 0 && size < 0.05) return `<${SPACE}0.1${SPACE}%`;
  return `${percent.toFixed(size >= 99.95 ? 0 : 1)}${SPACE}%`.replace("-", "−");
}
