/** The intervals of an answer: of so many seconds, or days, weeks, months and years of the zone it was asked in. */
import type { GraphContext } from "@/graphs/context";
import { add, startOf } from "@/time/calendar";

export const CALENDAR = ["day", "week", "month", "year"] as const;
export type CalendarUnit = (typeof CALENDAR)[number];

/** Unit of the calendar that buckets are of; null: they are of so many seconds. */
export function calendarUnit(interval: string | null | undefined): CalendarUnit | null {
  return CALENDAR.find((unit) => unit === interval) ?? null;
}

/** End of a bucket as if it were whole, Unix milliseconds. */
export function wholeEnd(start: number, interval: string | null, seconds: number, utc: boolean): number {
  const unit = calendarUnit(interval);
  return unit ? add(startOf(start, unit, utc), 1, unit, utc) : start + seconds * 1000;
}

/** A bucket in words: the day, week, month or year it is, or from when to when it goes, with the zone. */
export function bucketWords(context: Pick<GraphContext, "moment" | "zone" | "utc">, start: number, end: number, interval: string | null): string {
  const unit = calendarUnit(interval);
  if (unit && startOf(start, unit, context.utc) === start && wholeEnd(start, unit, 0, context.utc) === end) return calendarWords(context, start, unit);
  return rangeWords(context, start, end);
}

/** A whole day, week, month or year: `2026-01-31`, `week of 2026-01-26`, `2026-01`, `2026`. */
export function calendarWords(context: Pick<GraphContext, "moment">, start: number, unit: CalendarUnit): string {
  const day = context.moment(start).slice(0, 10);
  return { day, week: `week of ${day}`, month: day.slice(0, 7), year: day.slice(0, 4) }[unit];
}

/** A range with its zone, the day said once if it is one. */
function rangeWords(context: Pick<GraphContext, "moment" | "zone">, start: number, end: number): string {
  const [from, to] = [context.moment(start), context.moment(end)];
  const day = from.split(" ")[0] ?? "";
  const [first, last] = [context.zone(start), context.zone(end)];
  if (first !== last) return `${from} ${first} – ${to} ${last}`;
  return `${from} – ${to.startsWith(`${day} `) ? to.slice(day.length + 1) : to} ${last}`;
}
