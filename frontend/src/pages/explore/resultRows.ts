/** The table under a graph: rows and columns of any answer, each row with the id of its mark in the graph. */
import { formatCount, formatBytes, formatShare, formatTime, formatTotal, isUnit, UNKNOWN } from "@/format";
import type { TableColumn } from "@/components/DataTable.vue";
import type { GraphAnswer, Heatmap, Sankey, Series, SeriesRow, Top } from "@/graphs/answers";
import { zonedTime } from "@/composables/useFormat";
import { calendarUnit, calendarWords } from "@/graphs/buckets";
import { colorsOf } from "@/graphs/colors";
import { figuresOf } from "@/graphs/covered";
import type { GraphColors } from "@/graphs/context";
import { valueIn } from "@/graphs/describe";
import { isPercentage } from "@/graphs/kinds";
import { rowMark, rowName, TOTAL, type Clause, type Mark } from "@/graphs/marks";
import { restOf } from "@/graphs/options/bars";
import { sankeyMarks } from "@/graphs/options/sankey";
import { timelineMarks, timelineOf } from "@/graphs/timeline";

export interface ResultRow {
  mark: Mark;
  /** What each column of names shows, and the clause a click on it offers. */
  names: readonly { text: string; clause: Clause | null }[];
  figures: Readonly<Record<string, number | null>>;
  /** Words beside the figures: when, or where, the largest was. */
  notes?: Readonly<Record<string, string>>;
}

export interface ResultTable {
  /** Titles of the columns of names. */
  names: readonly string[];
  columns: readonly TableColumn<ResultRow>[];
  rows: readonly ResultRow[];
  /** Rows that stay below whatever the order: the total, an earlier period. */
  footer: readonly ResultRow[];
}

export interface TableContext {
  colors: GraphColors;
  title: (column: string) => string;
  utc: boolean;
}

export function resultTable(answer: GraphAnswer, context: TableContext): ResultTable {
  switch (answer.shape) {
    case "series":
      return seriesTable(answer.data, context);
    case "top":
      return topTable(answer.data, context);
    case "sankey":
      return sankeyTable(answer.data, context);
    case "heatmap":
      return heatmapTable(answer.data, context);
  }
}

function namesOf(mark: Mark, count: number): ResultRow["names"] {
  return Array.from({ length: Math.max(count, 1) }, (_, i) => {
    if (i === 0 && mark.clauses.length === 0) return { text: mark.name, clause: null };
    return { text: mark.labels[i] ?? "", clause: mark.clauses[i] ?? null };
  });
}

function titles(columns: readonly string[], context: TableContext): string[] {
  return columns.length > 0 ? columns.map(context.title) : ["Traffic"];
}

function figure(key: string, title: string, write: (value: number) => string, description?: string): TableColumn<ResultRow> {
  return {
    key,
    title,
    numeric: true,
    value: (row) => row.figures[key] ?? null,
    text: (row) => {
      const value = row.figures[key];
      return value === null || value === undefined ? UNKNOWN : write(value);
    },
    ...(description ? { description } : {}),
  };
}

function seriesTable(series: Series, context: TableContext): ResultTable {
  const timeline = timelineOf(series, context.colors, context.utc);
  const value = (number: number): string => valueIn(series.unit, number);
  const of = figuresOf(series);
  const percentages = isPercentage(series.unit);
  const both = timeline.reverse.length > 0;
  const sum = { forward: series.total.total, reverse: (series.reverse ?? []).reduce((all, row) => all + row.total, 0) };
  const figures = (row: SeriesRow, of: number): ResultRow["figures"] => ({
    minimum: row.minimum,
    maximum: row.maximum,
    average: row.average,
    p95: row.percentile95,
    last: row.last,
    total: row.total,
    share: of > 0 ? row.total / of : null,
  });
  const { previous } = timeline;
  const totalMark: Mark = { ...rowMark([], { ...series.total, other: false }, "transparent"), id: "total", name: TOTAL };
  return {
    names: titles(series.dimensions, context),
    columns: [
      ...(both ? [direction()] : []),
      figure("minimum", "Min", value, `Smallest of ${of}`),
      figure("maximum", "Max", value, `Largest of ${of}`),
      figure("average", "Average", value, "Over the part of the range for which there are data"),
      figure("p95", "95th", value, `95th percentile of ${of}: 95 % of them lie below`),
      figure("last", "Last", value, "Last interval that is complete"),
      ...(percentages ? [] : [figure("total", "Total", (all) => (isUnit(series.unit) ? formatTotal(all, series.unit) : String(all))), share()]),
    ],
    rows: timelineMarks({ ...timeline, previous: null }).map(({ mark, row }) => ({
      mark,
      names: namesOf(mark, series.dimensions.length),
      figures: figures(row, mark.reverse ? sum.reverse : sum.forward),
    })),
    footer: [
      ...(series.dimensions.length > 0
        ? [{ mark: totalMark, names: namesOf(totalMark, series.dimensions.length), figures: figures(series.total, sum.forward) }]
        : []),
      ...(previous
        ? [{ mark: previous.mark, names: namesOf(previous.mark, series.dimensions.length), figures: figures(previous.row, sum.forward) }]
        : []),
    ],
  };
}

function direction(): TableColumn<ResultRow> {
  return {
    key: "direction",
    title: "Direction",
    value: (row) => (row.mark.reverse ? "reverse" : "forward"),
    text: (row) => (row.mark.previous || row.mark.id === "total" ? "" : row.mark.reverse ? "← reverse" : "→ forward"),
    class: "text-ink-2",
  };
}

function share(): TableColumn<ResultRow> {
  return figure("share", "Share", formatShare, "Part of the total");
}

function topTable(top: Top, context: TableContext): ResultTable {
  const colors = colorsOf(top.rows.map(rowName), context.colors.series);
  const row = (one: Top["rows"][number], mark: Mark): ResultRow => ({
    mark,
    names: namesOf(mark, top.dimensions.length),
    figures: { value: one.value, share: one.share, bytes: one.bytes, packets: one.packets, flows: one.flows },
  });
  const totalMark: Mark = { ...rowMark([], top.total, "transparent"), id: "total", name: TOTAL };
  const rest = restOf(top);
  const otherMark = rowMark([], { dimensions: [], labels: [], other: true }, context.colors.other);
  const left = (key: "bytes" | "packets" | "flows"): number => top.total[key] - top.rows.reduce((sum, one) => sum + one[key], 0);
  const otherRow: ResultRow = {
    mark: otherMark,
    names: namesOf(otherMark, top.dimensions.length),
    figures: {
      value: rest,
      share: top.total.value > 0 ? rest / top.total.value : null,
      bytes: left("bytes"),
      packets: left("packets"),
      flows: left("flows"),
    },
  };
  return {
    names: titles(top.dimensions, context),
    columns: [
      figure("value", top.unit === "bytes" ? "Volume" : "Average", (value) => valueIn(top.unit, value)),
      share(),
      figure("bytes", "Bytes", formatBytes, "Of IP packets, scaled by the sampling rate"),
      figure("packets", "Packets", formatCount, "Scaled by the sampling rate"),
      figure("flows", "Flows", formatCount, "As exported"),
    ],
    rows: top.rows.map((one) => row(one, rowMark(top.dimensions, one, colors.get(rowName(one)) ?? context.colors.other))),
    footer: [...(rest > 0 ? [otherRow] : []), row(top.total, totalMark)],
  };
}

function sankeyTable(sankey: Sankey, context: TableContext): ResultTable {
  const marks = sankeyMarks(sankey, context.colors);
  return {
    names: ["Value"],
    columns: [
      {
        key: "column",
        title: "Dimension",
        value: (row) => row.notes?.["column"] ?? "",
        class: "text-ink-2",
      },
      figure("value", "Average", (value) => valueIn(sankey.unit, value)),
      share(),
    ],
    rows: marks.flatMap((mark, i) => {
      const node = sankey.nodes[i];
      if (!node) return [];
      return {
        mark,
        names: namesOf(mark, 1),
        figures: { value: node.rate, share: sankey.total > 0 ? node.rate / sankey.total : null },
        notes: { column: context.title(sankey.dimensions[node.dimension] ?? "") },
      };
    }),
    footer: [],
  };
}

/** Average of a row of a field over time, of the part for which there are data: beyond it nothing is known. */
function averageOverTime(field: Heatmap, values: readonly number[]): number {
  const moments = [...field.columns.map(({ time }) => Date.parse(time ?? "")), Date.parse(field.end)];
  const [first, last] = [Date.parse(field.covered_start), Date.parse(field.covered_end)];
  // Columns may be of unequal length: rates count by it, volumes do not.
  const weights = values.map((_, i) => {
    if ((moments[i] ?? 0) >= last || (moments[i + 1] ?? 0) <= first) return 0;
    return field.unit === "bytes" ? 1 : (field.seconds?.[i] ?? 1);
  });
  const weight = weights.reduce((all, one) => all + one, 0);
  return weight > 0 ? values.reduce((all, one, i) => all + one * (weights[i] ?? 0), 0) / weight : 0;
}

function heatmapTable(field: Heatmap, context: TableContext): ResultTable {
  const overTime = field.interval_seconds !== null;
  const value = (number: number): string => valueIn(field.unit, number);
  const place = (index: number): string => {
    const axis = field.columns[index];
    if (!axis) return "";
    if (!axis.time) return rowName(axis);
    const unit = calendarUnit(field.interval);
    const moment = (ms: number): string => formatTime(ms, context.utc, "minute");
    return unit ? calendarWords({ moment }, Date.parse(axis.time), unit) : zonedTime(axis.time, context.utc, "minute");
  };
  return {
    names: titles(field.down, context),
    columns: [
      figure("average", overTime ? "Average" : "Sum", value),
      figure("maximum", "Max", value),
      { key: "where", title: overTime ? "Max at" : "Max with", value: (row) => row.notes?.["where"] ?? "", class: "text-ink-2" },
    ],
    rows: field.rows.map((axis, i) => {
      const values = field.values[i] ?? [];
      const maximum = Math.max(0, ...values);
      const mark = rowMark(field.down, axis, axis.other ? context.colors.other : context.colors.accent);
      return {
        mark,
        names: namesOf(mark, field.down.length),
        figures: { average: overTime ? averageOverTime(field, values) : values.reduce((all, one) => all + one, 0), maximum },
        notes: { where: maximum > 0 ? place(values.indexOf(maximum)) : "" },
      };
    }),
    footer: [],
  };
}
