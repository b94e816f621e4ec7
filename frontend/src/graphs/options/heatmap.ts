/** Heatmap: rows against time, or against the values of other columns. */
import type { Heatmap, HeatmapAxis } from "@/graphs/answers";
import { bucketWords, calendarUnit, calendarWords, wholeEnd } from "@/graphs/buckets";
import type { BuiltGraph, Place, TimeScale } from "@/graphs/built";
import type { GraphContext } from "@/graphs/context";
import { axisMark, jointMark, rowName, type Mark } from "@/graphs/marks";
import { baseOption, roomForNames, tooltipStyle } from "@/graphs/options/common";
import { tooltip, tooltipGroup } from "@/graphs/tooltip";

const ROW_HEIGHT = 26;
/** Height below which not every row has room for its name. */
const LEAST_ROW = 14;
const TOP = 8;
const BOTTOM_TIME = 64;
/** What a letter of a name at an angle adds to its height, and how many letters it shows. */
const LETTER_RISE = 4.2;
const MOST_LETTERS = 20;
/** Pixels below which the lines between cells would hide them. */
const LEAST_CELL = 8;
/** Room of a time below a column. */
const LABEL_WIDTH = 90;

/** Height at which each row has its usual size. */
export function heatmapHeight(field: Heatmap): number {
  return field.rows.length * ROW_HEIGHT + TOP + bottomOf(field);
}

/** Room below the cells: for times, or for names that stand at an angle. */
function bottomOf(field: Heatmap): number {
  if (field.interval_seconds) return BOTTOM_TIME;
  const letters = Math.max(0, ...field.columns.map((axis) => rowName(axis).length));
  return BOTTOM_TIME + Math.min(letters, MOST_LETTERS) * LETTER_RISE;
}

/**
 * How strong the colour of a value is, 0 to 1: the square root of its part of the maximum. Traffic has few large and
 * many small values; in proportion all but one row would be as if empty.
 */
export function strength(value: number, maximum: number): number {
  return maximum > 0 && value > 0 ? Math.min(1, Math.sqrt(value / maximum)) : 0;
}

/** Largest value of the named rows and columns: the rest may be many times as much, and would leave them pale. */
function namedMaximum(field: Heatmap): number {
  const named = (y: number, x: number): boolean => !field.rows[y]?.other && !field.columns[x]?.other;
  const all = field.values.flatMap((row, y) => row.filter((_, x) => named(y, x)));
  return (all.length > 0 ? all : field.values.flat()).reduce((most, value) => Math.max(most, value), 0);
}

export function heatmapGraph(field: Heatmap, context: GraphContext): BuiltGraph {
  const { colors } = context;
  const maximum = namedMaximum(field);
  const beyond = field.values.some((row) => row.some((value) => value > maximum));
  const rows = field.rows.map((axis) => axisMark(field.down, axis, colors.accent));
  const cells = field.values.flatMap((row, y) => row.map((value, x) => [x, y, strength(value, maximum), value]));
  const cellAt = (dataIndex: number): Mark | null => cellMark(field, cells[dataIndex], context, rows);
  const nameWidth = roomForNames(rows.map((row) => row.name), context, 0.28, 220);
  const scale = scaleOf(field, context.utc);
  const crowded = (context.height - bottomOf(field)) / Math.max(rows.length, 1) < LEAST_ROW * context.scale;
  const step = Math.max(1, Math.ceil((field.columns.length * LABEL_WIDTH) / context.width));

  return {
    option: {
      ...baseOption(context),
      grid: {
        left: nameWidth + 12,
        right: 14,
        top: TOP,
        bottom: bottomOf(field),
        outerBoundsMode: "none",
      },
      xAxis: {
        type: "category",
        data: field.columns.map((axis) => (axis.time ? context.moment(Date.parse(axis.time)) : rowName(axis))),
        axisLine: { lineStyle: { color: colors.grid } },
        axisTick: { show: false },
        axisLabel: scale
          ? { color: colors.ink3, fontSize: 11 * context.scale, hideOverlap: true, lineHeight: 14 * context.scale, interval: step - 1, formatter: (_: string, i: number) => timeLabel(field, i, step, context) }
          : { color: colors.ink2, rotate: 40, width: 130, overflow: "truncate", interval: 0, fontSize: 11 * context.scale },
      },
      yAxis: {
        type: "category",
        inverse: true,
        data: rows.map((mark) => mark.name),
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { color: colors.ink, width: nameWidth, overflow: "truncate", interval: crowded ? "auto" : 0, margin: 10, fontSize: 12 * context.scale },
      },
      tooltip: {
        ...tooltipStyle(context),
        trigger: "item",
        formatter: (params: unknown) => cellTooltip(field, cells[(params as { dataIndex: number }).dataIndex], context, rows),
      },
      visualMap: {
        min: 0,
        max: 1,
        dimension: 2,
        orient: "horizontal",
        left: "center",
        bottom: 2,
        itemWidth: 10,
        itemHeight: Math.min(160, context.width / 3),
        calculable: false,
        hoverLink: false,
        text: [`${context.value(maximum)}${beyond ? " and more" : ""}`, context.value(0)],
        textStyle: { color: colors.ink3, fontSize: 11 * context.scale },
        inRange: { color: [...colors.ramp] },
      },
      series: [
        {
          type: "heatmap",
          data: cells,
          itemStyle: { borderColor: colors.surface, borderWidth: (context.width - nameWidth) / field.columns.length < LEAST_CELL ? 0 : 1, borderRadius: 2 },
          emphasis: { itemStyle: { borderColor: colors.ink, borderWidth: 1.5 } },
          blur: { itemStyle: { opacity: 0.25 } },
          progressive: 0,
        },
      ],
    },
    marks: rows,
    markAt: ({ dataIndex }) => cellAt(dataIndex ?? -1),
    placesOf: (id): Place[] =>
      cells.flatMap((cell, dataIndex) => (rows[cell[1] ?? -1]?.id === id ? [{ seriesIndex: 0, dataIndex }] : [])),
    scale,
  };
}

/** The clock, and the day where it is another than at the label before. */
function timeLabel(field: Heatmap, index: number, step: number, context: GraphContext): string {
  const unit = calendarUnit(field.interval);
  if (unit) return calendarWords(context, Date.parse(field.columns[index]?.time ?? ""), unit).replace("week of ", "");
  const words = (i: number): string[] => context.moment(Date.parse(field.columns[i]?.time ?? "")).split(" ");
  const [day = "", clock = ""] = words(index);
  return index >= step && words(index - step)[0] === day ? clock : `${clock}\n${day.slice(5)}`;
}

function scaleOf(field: Heatmap, utc: boolean): TimeScale | null {
  if (!field.interval_seconds) return null;
  const starts = field.columns.map((axis) => Date.parse(axis.time ?? ""));
  return { starts, end: wholeEnd(starts.at(-1) ?? 0, field.interval, field.interval_seconds, utc), counted: true };
}

function endOf(field: Heatmap, axis: HeatmapAxis, utc: boolean): number {
  return Math.min(wholeEnd(Date.parse(axis.time ?? ""), field.interval, field.interval_seconds ?? 0, utc), Date.parse(field.end));
}

function cellMark(field: Heatmap, cell: number[] | undefined, { colors, utc }: GraphContext, rows: readonly Mark[]): Mark | null {
  const [x = -1, y = -1] = cell ?? [];
  const row = rows[y];
  const column = field.columns[x];
  if (!row || !column) return null;
  if (!column.time) return jointMark(row.id, [row, axisMark(field.across, column, colors.accent)], " → ", colors.accent);
  return { ...row, from: column.time, to: new Date(endOf(field, column, utc)).toISOString() };
}

function cellTooltip(field: Heatmap, cell: number[] | undefined, context: GraphContext, rows: readonly Mark[]): HTMLElement | string {
  const [x = -1, y = -1, , value = 0] = cell ?? [];
  const row = rows[y];
  const column = field.columns[x];
  if (!row || !column) return "";
  const heading = column.time
    ? bucketWords(context, Date.parse(column.time), endOf(field, column, context.utc), field.interval)
    : `${field.across.map(context.title).join(" · ")}: ${rowName(column)}`;
  return tooltip(heading, tooltipGroup("", [{ mark: row, value, text: context.value(value) }], null));
}
