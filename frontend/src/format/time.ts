/** Moments and durations. Moments are Unix milliseconds or ISO 8601; `utc` chooses between UTC and the browser's zone. */
import { UNKNOWN } from "@/format/number";

export type Moment = number | string | Date;

const SPACE = "\u00a0";

function pad(value: number, length = 2): string {
  return String(value).padStart(length, "0");
}

function dateOf(moment: Moment): Date {
  return moment instanceof Date ? moment : new Date(moment);
}

interface Parts {
  date: string;
  minute: string;
  second: string;
  millisecond: string;
}

function partsOf(date: Date, utc: boolean): Parts {
  const shifted = utc ? date : new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  const minute = `${pad(shifted.getUTCHours())}:${pad(shifted.getUTCMinutes())}`;
  const second = `${minute}:${pad(shifted.getUTCSeconds())}`;
  return {
    date: `${pad(shifted.getUTCFullYear(), 4)}-${pad(shifted.getUTCMonth() + 1)}-${pad(shifted.getUTCDate())}`,
    minute,
    second,
    millisecond: `${second}.${pad(shifted.getUTCMilliseconds(), 3)}`,
  };
}

export type TimeStyle = "date" | "minute" | "second" | "millisecond" | "clock";

/** `2026-01-31 12:00:05`; style `clock`: `12:00:05` alone. */
export function formatTime(moment: Moment, utc = false, style: TimeStyle = "second"): string {
  const date = dateOf(moment);
  if (Number.isNaN(date.getTime())) return UNKNOWN;
  const parts = partsOf(date, utc);
  if (style === "date") return parts.date;
  if (style === "clock") return parts.second;
  return `${parts.date} ${parts[style]}`;
}

/** A range without saying the same day twice: `2026-01-31 12:00 – 13:00`. */
export function formatRange(start: Moment, end: Moment, utc = false): string {
  const [from, to] = [formatTime(start, utc, "minute"), formatTime(end, utc, "minute")];
  const sameDay = from.slice(0, 10) === to.slice(0, 10);
  return `${from} – ${sameDay ? to.slice(11) : to}`;
}

const STEPS: readonly (readonly [number, string])[] = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

/** A duration in its two largest units: `2 h 5 min`, `1.5 s`, `12 ms`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return UNKNOWN;
  const sign = seconds < 0 ? "−" : "";
  const size = Math.abs(seconds);
  if (size === 0) return `0${SPACE}s`;
  if (size < 1) return `${sign}${Number((size * 1000).toPrecision(3))}${SPACE}ms`;
  if (size < 10) return `${sign}${Number(size.toPrecision(2))}${SPACE}s`;
  let rest = Math.round(size);
  const parts: string[] = [];
  for (const [length, name] of STEPS) {
    const count = Math.floor(rest / length);
    if (count > 0) parts.push(`${count}${SPACE}${name}`);
    // Two neighbours at most: seconds beside days say nothing.
    if (parts.length === 2 || (parts.length === 1 && count === 0)) break;
    rest -= count * length;
  }
  return sign + parts.join(" ");
}

/** How long a moment is gone: `3 min ago`, `just now`, `in 5 min`. */
export function formatAgo(moment: Moment, now: number): string {
  const seconds = (now - dateOf(moment).getTime()) / 1000;
  if (Number.isNaN(seconds)) return UNKNOWN;
  if (Math.abs(seconds) < 1.5) return "just now";
  const words = formatDuration(Math.round(Math.abs(seconds))).split(" ")[0] ?? "";
  return seconds < 0 ? `in ${words}` : `${words} ago`;
}
