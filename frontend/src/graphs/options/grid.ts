/** Small multiples: a drawing per series, each on its own scale: sizes are what the other graphs compare. */
import type { EChartsOption, LineSeriesOption, TitleComponentOption } from "echarts";
import type { Series } from "@/graphs/answers";
import { bucketWords } from "@/graphs/buckets";
import type { BuiltGraph, Place } from "@/graphs/built";
import type { GraphContext } from "@/graphs/context";
import { rowId } from "@/graphs/marks";
import { axisPointer, baseOption, timeAxis, tooltipStyle, valueAxis } from "@/graphs/options/common";
import { timelineOf, type DrawnSeries, type Timeline } from "@/graphs/timeline";
import { tooltip, tooltipGroup } from "@/graphs/tooltip";

const LEAST_CELL_WIDTH = 290;
const CELL_HEIGHT = 150;
const LEFT = 64;
const RIGHT = 12;
const TOP = 26;
const BOTTOM = 24;

interface Cell {
  forward: DrawnSeries;
  reverse: DrawnSeries | null;
}

function gridColumns(width: number, cells: number, scale: number): number {
  return Math.max(1, Math.min(Math.floor(width / (LEAST_CELL_WIDTH * scale)), cells));
}

/** Height at which each cell has its usual size. */
export function gridHeight(width: number, cells: number, scale: number): number {
  return Math.max(1, Math.ceil(cells / gridColumns(width, cells, scale))) * CELL_HEIGHT * scale;
}

export function gridGraph(series: Series, context: GraphContext): BuiltGraph {
  const timeline = timelineOf(series, context.colors, context.utc);
  const cells = cellsOf(timeline);
  const columns = gridColumns(context.width, cells.length, context.scale);
  const rows = Math.max(1, Math.ceil(cells.length / columns));
  const width = context.width / columns;
  const height = context.height / rows;
  const place = (i: number) => ({ x: (i % columns) * width, y: Math.floor(i / columns) * height });
  const drawn = cells.flatMap((cell, i) => [cell.forward, cell.reverse].flatMap((one) => (one ? [{ one, cell: i }] : [])));

  const option: EChartsOption = {
    ...baseOption(context),
    title: titles(cells, place, width, context),
    grid: cells.map((_, i) => ({
      left: place(i).x + LEFT * context.scale,
      top: place(i).y + TOP * context.scale,
      width: Math.max(width - LEFT * context.scale - RIGHT, 20),
      height: Math.max(height - (TOP + BOTTOM) * context.scale, 10),
      outerBoundsMode: "none" as const,
    })),
    xAxis: cells.map((_, i) => ({
      ...timeAxis({ ...context, width }, timeline.starts[0] ?? 0, timeline.end),
      gridIndex: i,
    })),
    yAxis: cells.map((_, i) => ({ ...valueAxis(context), gridIndex: i, splitNumber: 2 })),
    axisPointer: { link: [{ xAxisIndex: "all" }] },
    tooltip: {
      ...tooltipStyle(context),
      trigger: "axis",
      axisPointer: axisPointer(context),
      formatter: (params: unknown) => cellTooltip(params, drawn, timeline, series, context),
    },
    series: drawn.map(({ one, cell }) => lineOf(one, cell, timeline)),
  };
  return {
    option,
    marks: drawn.map(({ one }) => one.mark),
    markAt: ({ seriesIndex }) => drawn[seriesIndex]?.one.mark ?? null,
    placesOf: (id): Place[] => drawn.flatMap(({ one }, seriesIndex) => (one.mark.id === id ? [{ seriesIndex }] : [])),
    scale: { starts: timeline.starts, end: timeline.end, counted: false, cell: { width, height } },
  };
}

/** Name at the left, average at the right: two titles a cell, since a subtitle would stand below. */
function titles(
  cells: readonly Cell[],
  place: (i: number) => { x: number; y: number },
  width: number,
  context: GraphContext,
): TitleComponentOption[] {
  return cells.flatMap(({ forward }, i): TitleComponentOption[] => [
    {
      text: forward.mark.reverse ? `← ${forward.mark.name}` : forward.mark.name,
      left: place(i).x + LEFT * context.scale,
      top: place(i).y + 2,
      padding: 0,
      textStyle: {
        fontSize: 12 * context.scale,
        fontWeight: 600,
        color: context.colors.ink,
        width: Math.max(width - (LEFT + 84) * context.scale - RIGHT, 40),
        overflow: "truncate",
      },
    },
    {
      text: `ø ${context.value(forward.row.average)}`,
      right: context.width - place(i).x - width + RIGHT,
      top: place(i).y + 3,
      padding: 0,
      textStyle: { fontSize: 11 * context.scale, fontWeight: 400, color: context.colors.ink3 },
    },
  ]);
}

/** How many drawings a grid has. */
export function gridCells({ rows, reverse }: Series): number {
  const names = new Set(rows.map((row) => rowId(row)));
  return rows.length + (reverse ?? []).filter((row) => !names.has(rowId(row))).length;
}

/** The opposite direction of a series lies below it, in the same cell. */
function cellsOf(timeline: Timeline): Cell[] {
  const back = new Map(timeline.reverse.map((one) => [one.mark.id.slice(1), one]));
  const cells = timeline.forward.map((forward): Cell => {
    const reverse = back.get(forward.mark.id.slice(1)) ?? null;
    back.delete(forward.mark.id.slice(1));
    return { forward, reverse };
  });
  return [...cells, ...[...back.values()].map((one): Cell => ({ forward: one, reverse: null }))];
}

function lineOf(one: DrawnSeries, cell: number, timeline: Timeline): LineSeriesOption {
  const { mark, row } = one;
  const sign = mark.reverse ? -1 : 1;
  const values = row.points.map((point: number | null) => (point === null ? null : sign * point));
  const points = timeline.starts.map((start, i): [number, number | null] => [start, values[i] ?? null]);
  return {
    type: "line",
    name: mark.name,
    xAxisIndex: cell,
    yAxisIndex: cell,
    color: mark.color,
    showSymbol: false,
    triggerEvent: true,
    data: [...points, [timeline.end, values.at(-1) ?? null]],
    lineStyle: { width: 1.5 },
    areaStyle: { opacity: 0.22 },
    emphasis: { lineStyle: { width: 2.5 }, areaStyle: { opacity: 0.5 }, focus: "series" },
    blur: { lineStyle: { opacity: 0.25 }, areaStyle: { opacity: 0.06 } },
  };
}

function cellTooltip(
  params: unknown,
  drawn: readonly { one: DrawnSeries; cell: number }[],
  timeline: Timeline,
  series: Series,
  context: GraphContext,
): HTMLElement {
  const all = (Array.isArray(params) ? params : [params]) as { seriesIndex?: number; dataIndex?: number }[];
  const index = Math.min(all[0]?.dataIndex ?? 0, timeline.starts.length - 1);
  const rows = all.flatMap(({ seriesIndex }) => {
    const one = drawn[seriesIndex ?? -1]?.one;
    if (!one) return [];
    const value = one.row.points[index] ?? 0;
    const name = one.mark.reverse ? `${one.mark.name} (reverse)` : one.mark.name;
    return [{ mark: { ...one.mark, name }, value, text: context.value(value) }];
  });
  const start = timeline.starts[index] ?? 0;
  return tooltip(bucketWords(context, start, Math.min(timeline.ends[index] ?? start, Date.parse(series.end)), series.interval), tooltipGroup("", rows, context.looked()));
}
