/** From an answer to a drawing. */
import { shapeOf, type GraphAnswer } from "@/graphs/answers";
import type { BuiltGraph } from "@/graphs/built";
import type { GraphContext } from "@/graphs/context";
import type { GraphKind } from "@/graphs/exploration";
import { barsGraph, barsHeight } from "@/graphs/options/bars";
import { gridCells, gridGraph, gridHeight } from "@/graphs/options/grid";
import { heatmapGraph, heatmapHeight } from "@/graphs/options/heatmap";
import { overTimeGraph } from "@/graphs/options/overTime";
import { sankeyGraph, sankeyHeight, sankeyWidth } from "@/graphs/options/sankey";

/** Height of a graph that has no height of its own, in pixels. */
export const USUAL_HEIGHT = 360;

/** Kind by which an answer can be drawn: the wanted one, unless it needs another answer (which is on its way). */
export function drawableKind(kind: GraphKind, answer: GraphAnswer): GraphKind {
  if (shapeOf(kind) === answer.shape) return kind;
  const kinds: Record<GraphAnswer["shape"], GraphKind> = { series: "stacked", top: "bars", sankey: "sankey", heatmap: "heatmap" };
  return kinds[answer.shape];
}

export function buildGraph(kind: GraphKind, answer: GraphAnswer, context: GraphContext): BuiltGraph {
  switch (answer.shape) {
    case "series": {
      const drawable = drawableKind(kind, answer);
      if (drawable === "grid") return gridGraph(answer.data, context);
      return overTimeGraph(drawable as "stacked" | "percent" | "lines" | "columns", answer.data, context);
    }
    case "top":
      return barsGraph(answer.data, context);
    case "sankey":
      return sankeyGraph(answer.data, context);
    case "heatmap":
      return heatmapGraph(answer.data, context);
  }
}

export interface Room {
  width: number;
  /** Height of a graph that has none of its own. */
  usual?: number;
  /** Size of letters, 1 on a desk. */
  scale?: number;
}

/** Size at which a graph shows all it has, for a page that can scroll. */
export function naturalSize(kind: GraphKind, answer: GraphAnswer, room: Room): { width: number; height: number } {
  const { width, usual = USUAL_HEIGHT, scale = 1 } = room;
  switch (answer.shape) {
    case "series":
      return { width, height: drawableKind(kind, answer) === "grid" ? gridHeight(width, gridCells(answer.data), scale) : usual };
    case "top":
      return { width, height: barsHeight(answer.data) * scale };
    case "sankey":
      return { width: Math.max(width, sankeyWidth(answer.data) * scale), height: Math.max(usual, sankeyHeight(answer.data) * scale) };
    case "heatmap":
      return { width, height: heatmapHeight(answer.data) * scale };
  }
}
