/** A number out of a series, and how it compares. */
import { formatPercent, formatTotal, isUnit } from "@/format";
import type { Moment, TimeStyle } from "@/format";
import type { Series } from "@/graphs/answers";
import { figuresOf } from "@/graphs/covered";
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

export interface ShownFigure {
  value: string;
  /** What it is: `Average`, `Peak of 5-minute averages`. */
  name: string;
  /** What it is about, in a sentence. */
  about: string;
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

type Time = (moment: Moment, style?: TimeStyle) => string;

/** Of the figure, the words of Explore. */
function wordsOf(series: Series, figure: Figure, time: Time): { name: string; about: string } {
  const [start, end] = [time(series.covered_start, "minute"), time(series.covered_end, "minute")];
  const about = `Of the time for which there are data: ${start} to ${end}.`;
  if (figure === "maximum" && series.unit !== "bytes") return { name: `${FIGURE_WORDS.maximum} of ${figuresOf(series)}`, about };
  if (figure === "last") return { name: FIGURE_WORDS.last, about: `Last interval that is complete; data are complete until ${end}.` };
  return { name: FIGURE_WORDS[figure], about };
}

export function shownFigure(series: Series, figure: Figure, time: Time): ShownFigure {
  const { unit, previous } = series;
  const value = series.total[figure];
  const before = previous && mostlyStored(previous.row) ? previous.row[figure] : 0;
  const ratio = before > 0 ? value / before : null;
  const rises = (ratio ?? 1) >= 1;
  return {
    ...wordsOf(series, figure, time),
    value: figure === "total" && isUnit(unit) ? formatTotal(value, unit) || valueIn(unit, value) : valueIn(unit, value),
    change: ratio === null ? "" : changeOf(ratio),
    rises,
    against: previous ? periodName(previous.period) : "",
  };
}
