/** Stacked areas, 100 % areas, lines and columns: all series in one drawing over time. */
import type { BarSeriesOption, LineSeriesOption } from "echarts";
import { formatShare } from "@/format";
import type { Series } from "@/graphs/answers";
import { bucketWords } from "@/graphs/buckets";
import type { BuiltGraph, Place } from "@/graphs/built";
import type { GraphContext } from "@/graphs/context";
import { TOTAL, type Mark } from "@/graphs/marks";
import { axisPointer, baseOption, fullGrid, timeAxis, tooltipStyle, valueAxis } from "@/graphs/options/common";
import { timelineMarks, timelineOf, type DrawnSeries, type Timeline } from "@/graphs/timeline";
import { tooltip, tooltipGroup, type TooltipRow } from "@/graphs/tooltip";

export type OverTimeKind = "stacked" | "percent" | "lines" | "columns";
type Point = [number, number | null];

export function overTimeGraph(kind: OverTimeKind, series: Series, context: GraphContext): BuiltGraph {
  const timeline = timelineOf(series, context.colors, context.utc);
  const drawn = timelineMarks(timeline).filter((one) => kind !== "percent" || !one.mark.previous);
  const sums = kind === "percent" ? sumsOf(timeline) : null;
  const both = timeline.reverse.length > 0;
  const percentTick = (value: number): string => `${value} %`;

  return {
    option: {
      ...baseOption(context),
      grid: fullGrid(),
      xAxis: timeAxis(context, timeline.starts[0] ?? 0, timeline.end),
      yAxis: {
        ...valueAxis(context, sums ? percentTick : context.tick),
        ...(sums ? { min: both ? -100 : 0, max: 100 } : {}),
      },
      tooltip: {
        ...tooltipStyle(context),
        trigger: "axis",
        axisPointer: axisPointer(context),
        formatter: (params: unknown) => bucketTooltip(series, timeline, indexOf(params), context),
      },
      series: [...drawn.map((one) => drawnOption(kind, one, timeline, sums)), overlay(timeline, both, context)],
    },
    marks: drawn.map((one) => one.mark),
    markAt: ({ seriesIndex }) => drawn[seriesIndex]?.mark ?? null,
    placesOf: (id): Place[] => drawn.flatMap((one, seriesIndex) => (one.mark.id === id ? [{ seriesIndex }] : [])),
    scale: { starts: timeline.starts, end: timeline.end, counted: false },
  };
}

function drawnOption(
  kind: OverTimeKind,
  one: DrawnSeries,
  timeline: Timeline,
  sums: Sums | null,
): LineSeriesOption | BarSeriesOption {
  const { mark } = one;
  const values = valuesOf(one, sums);
  const common = { name: mark.name, color: mark.color, data: [] as Point[] };
  if (mark.previous) {
    return {
      ...common,
      ...lineLook(mark, 1.5),
      data: linePoints(values, timeline),
      lineStyle: { width: 1.5, type: [5, 4], color: mark.color },
      z: 5,
    };
  }
  if (kind === "columns") return { ...common, ...barLook(mark), data: barPoints(values, timeline, timeline.partial) };
  const line: LineSeriesOption = { ...common, ...lineLook(mark, 1), data: linePoints(values, timeline) };
  if (kind === "lines") return { ...line, lineStyle: { width: mark.other ? 1.25 : 1.75 }, z: mark.other ? 2 : 3 };
  return {
    ...line,
    stack: mark.reverse ? "reverse" : "forward",
    areaStyle: { opacity: 0.8 },
    lineStyle: { width: 0.75 },
  };
}

function lineLook(mark: Mark, width: number): LineSeriesOption {
  return {
    type: "line",
    showSymbol: false,
    symbolSize: 6,
    triggerEvent: true,
    emphasis: { focus: "series", lineStyle: { width: width + 1 } },
    blur: { lineStyle: { opacity: 0.2 }, areaStyle: { opacity: 0.16 } },
    lineStyle: { width, color: mark.color },
  };
}

function barLook(mark: Mark): BarSeriesOption {
  return {
    type: "bar",
    stack: mark.reverse ? "reverse" : "forward",
    barCategoryGap: "14%",
    // Both directions share a place, above and below zero.
    barGap: "-100%",
    emphasis: { focus: "series" },
    blur: { itemStyle: { opacity: 0.2 } },
  };
}

/** A point at the start of each bucket; the last value is held to the end of its bucket. */
function linePoints(values: readonly (number | null)[], timeline: Timeline): Point[] {
  const points = timeline.starts.map((start, i): Point => [start, values[i] ?? null]);
  const last = values[timeline.starts.length - 1];
  return points.length > 0 ? [...points, [timeline.end, last ?? null]] : points;
}

function barPoints(values: readonly (number | null)[], timeline: Timeline, partial: boolean): NonNullable<BarSeriesOption["data"]> {
  return timeline.starts.map((start, i) => {
    const value: Point = [(start + (timeline.ends[i] ?? start)) / 2, values[i] ?? null];
    return partial && i === timeline.starts.length - 1 ? { value, itemStyle: { opacity: 0.45 } } : { value };
  });
}

/** Veils the bucket that is not whole, and shades where nothing was seen. */
function overlay(timeline: Timeline, both: boolean, context: GraphContext): LineSeriesOption {
  const { colors } = context;
  const last = timeline.starts.at(-1);
  const veil =
    timeline.partial && last !== undefined
      ? [[{ xAxis: last, itemStyle: { color: colors.surface, opacity: 0.5 } }, { xAxis: timeline.end }]]
      : [];
  const gaps = timeline.gaps.map(([first, final]) => [
    {
      xAxis: timeline.starts[first],
      itemStyle: { color: colors.other, opacity: 0.14 },
    },
    { xAxis: timeline.starts[final + 1] ?? timeline.end },
  ]);
  return {
    type: "line",
    silent: true,
    data: [],
    tooltip: { show: false },
    z: 6,
    markArea: { silent: true, z: 6, data: [...veil, ...gaps] as NonNullable<LineSeriesOption["markArea"]>["data"] },
    markLine: both
      ? {
          silent: true,
          symbol: "none",
          label: { show: false },
          lineStyle: { color: colors.ink3, type: "solid", width: 1 },
          data: [{ yAxis: 0 }],
        }
      : undefined,
  };
}

interface Sums {
  forward: number[];
  reverse: number[];
}

function sumsOf(timeline: Timeline): Sums {
  const sum = (all: readonly DrawnSeries[]): number[] =>
    timeline.starts.map((_, i) => all.reduce((total, one) => total + (one.row.points[i] ?? 0), 0));
  return { forward: sum(timeline.forward), reverse: sum(timeline.reverse) };
}

function valuesOf({ mark, row }: DrawnSeries, sums: Sums | null): (number | null)[] {
  const sign = mark.reverse ? -1 : 1;
  const of = sums && (mark.reverse ? sums.reverse : sums.forward);
  return row.points.map((point: number | null, i) => {
    if (point === null) return null;
    if (!of) return sign * point;
    return of[i] ? (sign * 100 * point) / of[i] : 0;
  });
}

/** Bucket of the points the tooltip is at; the point that closes the last one belongs to it. */
function indexOf(params: unknown): number {
  const first: unknown = Array.isArray(params) ? params[0] : params;
  const index = (first as { dataIndex?: unknown } | undefined)?.dataIndex;
  return typeof index === "number" ? index : 0;
}

function bucketTooltip(series: Series, timeline: Timeline, place: number, context: GraphContext): HTMLElement {
  const index = Math.min(place, timeline.starts.length - 1);
  const start = timeline.starts[index] ?? 0;
  const looked = context.looked();
  const group = (heading: string, all: readonly DrawnSeries[], total: number): HTMLElement =>
    tooltipGroup(
      heading,
      all.map(({ mark, row }): TooltipRow => {
        const value = row.points[index] ?? 0;
        return { mark, value, text: context.value(value), ...(total ? { detail: formatShare(value / total) } : {}) };
      }),
      looked,
    );
  const sum = (all: readonly DrawnSeries[]): number => all.reduce((total, one) => total + (one.row.points[index] ?? 0), 0);
  const forward = sum(timeline.forward);
  const parts: (HTMLElement | string)[] = [];
  if (timeline.partial && index === timeline.starts.length - 1) parts.push("not whole: cut by the range, or still filling");
  const both = timeline.reverse.length > 0;
  parts.push(group(both ? "Forward" : "", timeline.forward, forward));
  if (both) parts.push(group("Reverse", timeline.reverse, sum(timeline.reverse)));
  parts.push(totals(series, timeline, index, forward, context));
  return tooltip(bucketWords(context, start, Math.min(timeline.ends[index] ?? start, Date.parse(series.end)), series.interval), ...parts);
}

function totals(series: Series, timeline: Timeline, index: number, forward: number, context: GraphContext): HTMLElement {
  const rows: TooltipRow[] = [];
  if (timeline.forward.length > 1) {
    const value = series.total.points[index] ?? forward;
    rows.push({ mark: { id: "total", name: TOTAL, color: "transparent", other: false, previous: false }, value, text: context.value(value) });
  }
  if (timeline.previous) {
    const value = timeline.previous.row.points[index] ?? 0;
    rows.push({ mark: timeline.previous.mark, value, text: context.value(value) });
  }
  const made = tooltipGroup("", rows, null);
  if (rows.length > 0) made.style.cssText = `border-top:1px solid ${context.colors.grid};margin-top:4px;padding-top:2px`;
  return made;
}
