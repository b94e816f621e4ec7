/** How fine a graph is over time: as the kind wants, a number of points, or intervals of one length. */
import { formatDuration } from "@/format";
import { CALENDAR, calendarUnit, type CalendarUnit } from "@/graphs/buckets";
import type { Exploration } from "@/graphs/exploration";

const POINTS = [50, 100, 200, 500, 1000];
const INTERVALS = [10, 60, 300, 900, 3600, 6 * 3600];

export interface Resolution {
  value: string;
  label: string;
}

function interval(seconds: number): Resolution {
  return { value: `i${seconds}`, label: `Every ${formatDuration(seconds)}` };
}

function calendar(unit: CalendarUnit): Resolution {
  return { value: unit, label: `Every ${unit}` };
}

function points(count: number): Resolution {
  return { value: `p${count}`, label: `Up to ${count} points` };
}

export const RESOLUTIONS: readonly Resolution[] = [
  { value: "", label: "As fine as suits the graph" },
  ...POINTS.map(points),
  ...INTERVALS.map(interval),
  ...CALENDAR.map(calendar),
];

/** What an exploration has chosen, as the value of a choice. */
export function resolutionValue({ points: count, interval: seconds }: Exploration): string {
  if (typeof seconds === "string") return seconds;
  if (seconds !== null) return `i${seconds}`;
  return count === null ? "" : `p${count}`;
}

/** What a choice means. */
export function resolutionOf(value: string): { label: string; differences: Pick<Exploration, "points" | "interval"> } {
  const unit = calendarUnit(value);
  if (unit) return { label: calendar(unit).label, differences: { points: null, interval: unit } };
  const number = Number(value.slice(1));
  if (value.startsWith("i")) return { label: interval(number).label, differences: { points: null, interval: number } };
  if (value.startsWith("p")) return { label: points(number).label, differences: { points: number, interval: null } };
  return { label: RESOLUTIONS[0]?.label ?? "", differences: { points: null, interval: null } };
}
