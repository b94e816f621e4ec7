/** What can be pointed at in a graph: a series, a bar, a node, a cell; each has an id that its table row shares. */
import type { HeatmapAxis, SankeyNode, SeriesRow, TopRow } from "@/graphs/answers";

/** A column and a value, as a filter takes them. */
export interface Clause {
  column: string;
  value: unknown;
  label: string;
}

export interface Mark {
  id: string;
  name: string;
  labels: readonly string[];
  color: string;
  other: boolean;
  /** Of the opposite direction. */
  reverse: boolean;
  /** Of an earlier period. */
  previous: boolean;
  /** What a filter for this says; none for "other". */
  clauses: readonly Clause[];
  /** Part of time it stands for, if not the whole range (ISO 8601). */
  from?: string;
  to?: string;
}

export const OTHER = "Other";
export const TOTAL = "Total";
export const PREVIOUS_ID = "previous";

type Row = Pick<SeriesRow, "dimensions" | "labels" | "other"> | (Pick<TopRow, "dimensions" | "labels"> & { other?: boolean });

/** Name of a row: its labels, from the first dimension to the last. */
export function rowName(row: Row): string {
  if (row.other) return OTHER;
  return row.labels.length === 0 ? TOTAL : row.labels.map(shown).join(" · ");
}

/** A label, also of nothing. */
export function shown(label: string): string {
  return label === "" ? "(none)" : label;
}

export function rowId(row: Row, reverse = false): string {
  return (reverse ? "-" : "+") + (row.other ? "other" : JSON.stringify(row.dimensions));
}

export function clausesOf(columns: readonly string[], row: Row): Clause[] {
  if (row.other) return [];
  return columns
    .slice(0, row.dimensions.length)
    .map((column, i) => ({ column, value: row.dimensions[i], label: shown(row.labels[i] ?? "") }));
}

export function rowMark(columns: readonly string[], row: Row, color: string, reverse = false): Mark {
  return {
    id: rowId(row, reverse),
    name: rowName(row),
    labels: row.other ? [OTHER] : row.labels.map(shown),
    color,
    other: row.other ?? false,
    reverse,
    previous: false,
    clauses: clausesOf(columns, row),
  };
}

export function nodeMark(columns: readonly string[], node: SankeyNode, color: string): Mark {
  const label = node.other ? OTHER : shown(node.label);
  return {
    id: nodeId(node),
    name: label,
    labels: [label],
    color,
    other: node.other,
    reverse: false,
    previous: false,
    clauses: node.other ? [] : [{ column: columns[node.dimension] ?? "", value: node.value, label }],
  };
}

function nodeId(node: SankeyNode): string {
  return `${node.dimension}:${node.other ? "other" : JSON.stringify(node.value)}`;
}

/** Two marks as one: a link between nodes, a cell of a field. */
export function jointMark(id: string, parts: readonly Mark[], joint: string, color: string): Mark {
  return {
    id,
    name: parts.map((part) => part.name).join(joint),
    labels: parts.flatMap((part) => part.labels),
    color,
    other: parts.every((part) => part.other),
    reverse: false,
    previous: false,
    clauses: parts.flatMap((part) => part.clauses),
  };
}

/** A row or a column of a field. */
export function axisMark(columns: readonly string[], axis: HeatmapAxis, color: string): Mark {
  return rowMark(columns, axis, color);
}
