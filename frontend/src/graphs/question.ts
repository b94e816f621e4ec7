/** The questions of an exploration, as the API takes them. */
import type { components } from "@/api/schema";
import { shapeOf, type Shape } from "@/graphs/answers";
import type { Exploration } from "@/graphs/exploration";
import { kindInfo } from "@/graphs/kinds";
import { zone } from "@/time/zone";

type Schemas = components["schemas"];
export type SeriesQuestion = Schemas["SeriesQuestion"];
export type TopQuestion = Schemas["TopQuestion"];
type SankeyQuestion = Schemas["SankeyQuestion"];
type HeatmapQuestion = Schemas["HeatmapQuestion"];

/** Moments the words of an exploration stand for now (ISO 8601); without an end it is the server's now. */
export interface AskedRange {
  start: string;
  end?: string;
}

export type GraphQuestion =
  | { shape: "series"; body: SeriesQuestion }
  | { shape: "top"; body: TopQuestion }
  | { shape: "sankey"; body: SankeyQuestion }
  | { shape: "heatmap"; body: HeatmapQuestion };

/** Why an exploration cannot be asked yet, and what to do; null: it can. */
export interface Hint {
  title: string;
  text: string;
}

const NEEDED: Record<Shape, number> = { series: 0, top: 1, heatmap: 1, sankey: 2 };

export function hintOf(e: Exploration): Hint | null {
  const needed = NEEDED[shapeOf(e.kind)];
  if (e.dimensions.length >= needed) return null;
  if (needed === 2) {
    return {
      title: "A Sankey goes from one column to another",
      text: "Choose two dimensions or more: from left to right in the order you give them, for example SrcAS, InIfProvider, DstPort.",
    };
  }
  return {
    title: `${kindInfo(e.kind).label} need${e.kind === "bars" ? "" : "s"} a dimension`,
    text: "Choose what to compare, for example SrcAS or DstPort.",
  };
}

export function questionOf(e: Exploration, range: AskedRange): GraphQuestion {
  const grouped = {
    ...range,
    timezone: zone.value,
    leave_out_implausible: e.plausible,
    filter: e.filter,
    unit: e.unit,
    truncate_v4: e.truncateV4,
    truncate_v6: e.truncateV6,
    limit: e.limit,
  };
  const points = e.points ?? kindInfo(e.kind).points;
  switch (shapeOf(e.kind)) {
    case "series":
      return { shape: "series", body: seriesQuestion(e, range) };
    case "top":
      return { shape: "top", body: { ...grouped, dimensions: e.dimensions } };
    case "sankey":
      return { shape: "sankey", body: { ...grouped, dimensions: e.dimensions } };
    case "heatmap":
      return { shape: "heatmap", body: { ...grouped, down: e.dimensions, across: e.across, points } };
  }
}

/** The series of an exploration, whatever its kind: what a download of its data holds. */
export function seriesQuestion(e: Exploration, range: AskedRange): SeriesQuestion {
  return {
    ...range,
    timezone: zone.value,
    leave_out_implausible: e.plausible,
    filter: e.filter,
    unit: e.unit,
    truncate_v4: e.truncateV4,
    truncate_v6: e.truncateV6,
    dimensions: e.dimensions,
    limit: e.limit,
    limit_by: e.limitBy,
    points: e.points ?? (kindInfo(e.kind).points || 200),
    ...(typeof e.interval === "string" ? { interval: e.interval } : { interval_seconds: e.interval }),
    bidirectional: e.bidirectional,
    previous: e.previous,
    spread: e.spread,
  };
}
