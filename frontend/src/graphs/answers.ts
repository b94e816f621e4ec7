/** What the API answers to a graph's question, and which question a kind of graph asks. */
import type { components } from "@/api/schema";
import type { GraphKind } from "@/graphs/exploration";

type Schemas = components["schemas"];
export type Series = Schemas["Series"];
export type SeriesRow = Schemas["SeriesRow"];
export type Top = Schemas["Top"];
export type TopRow = Schemas["TopRow"];
export type Sankey = Schemas["Sankey"];
export type SankeyNode = Schemas["SankeyNode"];
export type Heatmap = Schemas["Heatmap"];
export type HeatmapAxis = Schemas["HeatmapAxis"];
export type Source = Schemas["Source"];

export type Shape = "series" | "top" | "sankey" | "heatmap";

export type GraphAnswer =
  | { shape: "series"; data: Series }
  | { shape: "top"; data: Top }
  | { shape: "sankey"; data: Sankey }
  | { shape: "heatmap"; data: Heatmap };

const SHAPES: Record<GraphKind, Shape> = {
  stacked: "series",
  percent: "series",
  lines: "series",
  grid: "series",
  columns: "series",
  bars: "top",
  heatmap: "heatmap",
  sankey: "sankey",
};

/** Answer that a kind of graph draws. */
export function shapeOf(kind: GraphKind): Shape {
  return SHAPES[kind];
}

/** Whether there is anything to draw. */
export function isEmpty(answer: GraphAnswer): boolean {
  switch (answer.shape) {
    case "series":
      return [...answer.data.rows, ...(answer.data.reverse ?? [])].every((row) => row.maximum === 0 && row.total === 0);
    case "top":
      return answer.data.rows.length === 0;
    case "sankey":
      return answer.data.links.length === 0;
    case "heatmap":
      return answer.data.values.every((row) => row.every((value) => value === 0));
  }
}
