/** The series of an answer as they are drawn over time. */
import type { Series, SeriesRow } from "@/graphs/answers";
import { colorsOf } from "@/graphs/colors";
import { wholeEnd } from "@/graphs/buckets";
import type { Period } from "@/graphs/exploration";
import type { GraphColors } from "@/graphs/context";
import { PREVIOUS_ID, rowMark, rowName, type Mark } from "@/graphs/marks";

export interface DrawnSeries {
  mark: Mark;
  row: SeriesRow;
}

export interface Timeline {
  /** Starts of the buckets, Unix milliseconds. */
  starts: number[];
  /** Ends of the buckets as if they were whole. */
  ends: number[];
  /** End of the last of them. */
  end: number;
  /** Whether the last bucket is cut, by now or by the range. */
  partial: boolean;
  forward: DrawnSeries[];
  reverse: DrawnSeries[];
  previous: DrawnSeries | null;
  /** Buckets [first, last] in which nothing at all was seen. */
  gaps: [number, number][];
}

const MOST_GAPS = 12;
export const PERIOD_NAMES: Readonly<Record<Period, string>> = {
  auto: "a period that suits the range",
  hour: "an hour before",
  day: "a day before",
  week: "a week before",
  "4-weeks": "4 weeks before",
  month: "a month before",
  year: "a year before",
  "52-weeks": "52 weeks before",
};

/** How long before the range the previous period lies, in words. */
export function periodName(period: string): string {
  return Object.hasOwn(PERIOD_NAMES, period) ? PERIOD_NAMES[period as Period] : period;
}

/** Opposite of a column, if it has one; the column itself if not. */
export function oppositeColumn(column: string): string {
  if (column.startsWith("Src")) return `Dst${column.slice(3)}`;
  if (column.startsWith("Dst")) return `Src${column.slice(3)}`;
  if (column.startsWith("InIf")) return `OutIf${column.slice(4)}`;
  if (column.startsWith("OutIf")) return `InIf${column.slice(5)}`;
  return column;
}

export function timelineOf(series: Series, colors: GraphColors, utc: boolean): Timeline {
  const starts = series.times.map((time) => Date.parse(time));
  const ends = starts.map((start, i) => starts[i + 1] ?? wholeEnd(start, series.interval, series.interval_seconds, utc));
  const end = ends.at(-1) ?? Date.parse(series.end);
  const reverse = series.reverse ?? [];
  const named = colorsOf(
    [...series.rows, ...reverse].filter((row) => !row.other).map(rowName),
    colors.series,
  );
  const drawn = (row: SeriesRow, back: boolean): DrawnSeries => ({
    row,
    // The filter that picks a row of the opposite direction is that of its own column in the asked direction.
    mark: rowMark(series.dimensions, row, row.other ? colors.other : (named.get(rowName(row)) ?? colors.other), back),
  });
  return {
    starts,
    ends,
    end,
    partial: Date.parse(series.end) < end,
    forward: series.rows.map((row) => drawn(row, false)),
    reverse: reverse.map((row) => drawn(row, true)),
    previous: previousOf(series, colors),
    gaps: gapsOf(series),
  };
}

function previousOf(series: Series, colors: GraphColors): DrawnSeries | null {
  if (!series.previous) return null;
  const { period, row } = series.previous;
  const mark: Mark = {
    ...rowMark([], row, colors.ink2),
    id: PREVIOUS_ID,
    name: `Total, ${periodName(period)}`,
    labels: [`Total, ${periodName(period)}`],
    previous: true,
  };
  return { mark, row };
}

/** Runs of two or more buckets without any flow; none if that is the rule and not the exception. */
function gapsOf(series: Series): [number, number][] {
  const empty = series.times.map((_, i) => {
    const back = (series.reverse ?? []).some((row) => row.points[i]);
    return !series.total.points[i] && !back;
  });
  const runs: [number, number][] = [];
  for (let i = 0; i < empty.length; i++) {
    if (!empty[i]) continue;
    const first = i;
    while (empty[i + 1]) i++;
    if (i > first) runs.push([first, i]);
  }
  return runs.length > MOST_GAPS || empty.every(Boolean) ? [] : runs;
}

/** All marks of a timeline, in the order of a legend. */
export function timelineMarks(timeline: Timeline): DrawnSeries[] {
  return [...timeline.forward, ...timeline.reverse, ...(timeline.previous ? [timeline.previous] : [])];
}
