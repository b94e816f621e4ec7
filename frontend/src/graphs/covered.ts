/** What part of a range there are data for, and on what its figures were computed, in words. */
import { formatDuration } from "@/format";
import type { GraphAnswer, Series } from "@/graphs/answers";
import { calendarUnit } from "@/graphs/buckets";

type Range = (start: number, end: number) => string;

/** Missing at an end that is no more than this of a range is not worth a sentence. */
const SLACK = 0.02;

/** The part of the range there are data for, in Unix milliseconds, if that is noticeably less than was asked for; else null. */
export function coveredRange({ data }: GraphAnswer): { start: number; end: number } | null {
  const [asked, end] = [Date.parse(data.asked_start), Date.parse(data.end)];
  const [first, last] = [Date.parse(data.covered_start), Date.parse(data.covered_end)];
  if (!(first < last)) return null;
  const interval = "interval_seconds" in data ? (data.interval_seconds ?? 0) * 1000 : 0;
  const slack = Math.max(SLACK * (Date.parse(data.asked_end) - asked), interval, 60_000);
  return first - asked <= slack && end - last <= slack ? null : { start: first, end: last };
}

/** The same in a sentence; empty where there is nothing to say. */
export function coveredWords(answer: GraphAnswer, range: Range): string {
  const part = coveredRange(answer);
  return part ? `Of this range there are data for ${range(part.start, part.end)}; averages and other figures are about that part.` : "";
}

/** What minimum, maximum and 95th percentile of a series are of: `5-minute averages`. */
export function figuresOf(series: Pick<Series, "figures_seconds" | "interval">): string {
  const seconds = series.figures_seconds;
  if (seconds <= 1) return "1-second averages";
  const units: readonly [number, string][] = [[86_400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
  const [length, name] = units.find(([size]) => seconds % size === 0) ?? [1, "second"];
  const unit = calendarUnit(series.interval);
  // Longer than a day they are the drawn buckets themselves.
  if (seconds > 86_400 && unit) return `averages of ${unit}s`;
  return `${seconds / length}-${name} averages`;
}

/** The same as a note under the figures. */
export function figuresNote(series: Pick<Series, "figures_seconds" | "interval" | "unit">): string {
  if (series.unit === "bytes") return `Min, max and 95th percentile are of volumes of ${formatDuration(series.figures_seconds)}.`;
  return `Min, max and 95th percentile are those of ${figuresOf(series)}, whatever is drawn.`;
}
