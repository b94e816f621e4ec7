/** A range of time as words, kept as typed: `now-6h` stays relative in the address of a page. */
import { formatRange, formatTime } from "@/format/time";
import { parseMoment } from "@/time/natural";

export interface TimeRange {
  from: string;
  to: string;
}

/** Moments in Unix milliseconds, end excluded. */
export interface Span {
  start: number;
  end: number;
}

export interface Preset extends TimeRange {
  label: string;
}

const last = (span: string, label: string): Preset => ({ from: `now-${span}`, to: "now", label });

export const PRESETS: readonly Preset[] = [
  last("5m", "Last 5 minutes"),
  last("15m", "Last 15 minutes"),
  last("30m", "Last 30 minutes"),
  last("1h", "Last hour"),
  last("3h", "Last 3 hours"),
  last("6h", "Last 6 hours"),
  last("12h", "Last 12 hours"),
  last("24h", "Last 24 hours"),
  last("2d", "Last 2 days"),
  last("7d", "Last 7 days"),
  last("30d", "Last 30 days"),
  last("90d", "Last 90 days"),
  last("1y", "Last year"),
  { from: "today", to: "now", label: "Today" },
  { from: "yesterday", to: "today", label: "Yesterday" },
  { from: "this week", to: "now", label: "This week" },
  { from: "last week", to: "this week", label: "Last week" },
  { from: "this month", to: "now", label: "This month" },
  { from: "last month", to: "this month", label: "Last month" },
];

/** Pauses of auto refresh in seconds; 0: off. */
export const REFRESH_SECONDS = [0, 5, 10, 30, 60, 300] as const;

export type Resolved = { span: Span; problem: null } | { span: null; problem: string };

/** What words mean now, or what is wrong with them. */
export function resolveRange(range: TimeRange, now: number, utc = false): Resolved {
  const start = parseMoment(range.from, now, utc);
  if (start === null) return { span: null, problem: `“${range.from}” is no time. ${HINT}` };
  const end = parseMoment(range.to, now, utc);
  if (end === null) return { span: null, problem: `“${range.to}” is no time. ${HINT}` };
  if (start >= end) return { span: null, problem: "The range ends before it starts." };
  if (start >= now) return { span: null, problem: "The range lies in the future." };
  return { span: { start, end }, problem: null };
}

const HINT = "Try “now-6h”, “6 hours ago”, “yesterday 8:00” or “2026-01-31 12:00”.";

/** `start` and `end` of a question, in whole seconds; an end that is now or later is left to the server. */
export function askedRange({ start, end }: Span, now: number): { start: string; end?: string } {
  const iso = (ms: number): string => `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
  return end >= now ? { start: iso(start) } : { start: iso(start), end: iso(end) };
}

/** Whether a range ends now, so that asking again shows something new. */
export function endsNow(range: TimeRange): boolean {
  return range.to.trim().toLowerCase() === "now";
}

/** Words for moments that stay where they are. */
export function fixedRange({ start, end }: Span): TimeRange {
  const iso = (ms: number): string => new Date(Math.round(ms / 1000) * 1000).toISOString().replace(".000", "");
  return { from: iso(start), to: iso(end) };
}

/** The range moved by a part of its length (negative: to the past); never past now. */
export function shiftRange({ start, end }: Span, part: number, now: number): TimeRange {
  const by = Math.min((end - start) * part, now - end);
  const step = part < 0 ? (end - start) * part : Math.max(0, by);
  return fixedRange({ start: start + step, end: end + step });
}

/** A range twice as long around the same middle; never past now. */
export function zoomOutRange({ start, end }: Span, now: number): TimeRange {
  const half = (end - start) / 2;
  const past = Math.max(0, end + half - now);
  return fixedRange({ start: Math.max(0, start - half - past), end: end + half - past });
}

/** A short name of a range for a button. */
export function describeRange(range: TimeRange, now: number, utc = false): string {
  const preset = PRESETS.find(({ from, to }) => from === range.from && to === range.to);
  if (preset) return preset.label;
  const isFixed = (words: string): boolean => /^\d{4}-\d{2}-\d{2}/.test(words);
  const resolved = resolveRange(range, now, utc);
  if (resolved.span && isFixed(range.from) && isFixed(range.to)) {
    return formatRange(resolved.span.start, resolved.span.end, utc);
  }
  const words = (text: string): string => (isFixed(text) && resolved.span ? fixedWords(text, now, utc) : text);
  return endsNow(range) ? `${words(range.from)} to now` : `${words(range.from)} to ${words(range.to)}`;
}

function fixedWords(text: string, now: number, utc: boolean): string {
  const moment = parseMoment(text, now, utc);
  return moment === null ? text : formatTime(moment, utc, "minute");
}
