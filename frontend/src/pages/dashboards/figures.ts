/** A number out of a series, and how it compares. */
import { formatPercent, formatTotal, isUnit } from "@/format";
import type { Series, SeriesRow } from "@/graphs/answers";
import { valueIn } from "@/graphs/describe";
import { mostlyStored } from "@/graphs/previous";
import { periodName } from "@/graphs/timeline";
import type { Figure } from "@/pages/dashboards/model";

export const FIGURE_WORDS: Record<Figure, string> = {
  last: "Latest",
  average: "Average",
  maximum: "Peak",
  total: "Total",
};

/** The last bucket is cut by now: the latest whole one is what can be compared. */
function figureOf(row: SeriesRow, figure: Figure, partial: boolean): number {
  if (figure !== "last") return row[figure];
  const whole = partial && row.points.length > 1 ? row.points.at(-2) : row.points.at(-1);
  return whole ?? row.last;
}

export interface ShownFigure {
  value: string;
  /** Against the period before: `+12.3 %`; empty if there is nothing to compare with. */
  change: string;
  rises: boolean;
  against: string;
}

const MANY_TIMES = 10;

/** `+12.3 %`, or `× 14` where per cent are hard to read. */
function changeOf(ratio: number): string {
  if (ratio >= MANY_TIMES) return `×\u00a0${Math.round(ratio)}`;
  return `${ratio >= 1 ? "+" : ""}${formatPercent((ratio - 1) * 100)}`;
}

export function shownFigure(series: Series, figure: Figure): ShownFigure {
  const { unit, previous } = series;
  const end = Date.parse(series.times.at(-1) ?? series.end) + series.interval_seconds * 1000;
  const partial = Date.parse(series.end) < end;
  const value = figureOf(series.total, figure, partial);
  const before = previous && mostlyStored(previous.row) ? figureOf(previous.row, figure, partial) : 0;
  const ratio = before > 0 ? value / before : null;
  const rises = (ratio ?? 1) >= 1;
  return {
    value: figure === "total" && isUnit(unit) ? formatTotal(value, unit) || valueIn(unit, value) : valueIn(unit, value),
    change: ratio === null ? "" : changeOf(ratio),
    rises,
    against: previous ? periodName(previous.period) : "",
  };
}
