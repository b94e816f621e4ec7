/** Sankey: what flows from each value of a column to each value of the next. */
import { formatShare } from "@/format";
import type { Sankey, SankeyNode } from "@/graphs/answers";
import type { BuiltGraph, Place } from "@/graphs/built";
import { colorsOf } from "@/graphs/colors";
import type { GraphColors, GraphContext } from "@/graphs/context";
import { jointMark, nodeMark, OTHER, shown, type Mark } from "@/graphs/marks";
import { baseOption, tooltipStyle } from "@/graphs/options/common";
import { tooltip, tooltipGroup } from "@/graphs/tooltip";

const TOP = 34;
const SIDE = 4;
const NODE_WIDTH = 14;
const LEAST_COLUMN = 150;
const ROW_HEIGHT = 34;

/** Width below which names would cover each other. */
export function sankeyWidth(sankey: Sankey): number {
  return sankey.dimensions.length * LEAST_COLUMN;
}

/** Height at which the column with the most nodes has room for their names. */
export function sankeyHeight(sankey: Sankey): number {
  return Math.max(320, TOP + mostNodes(sankey) * ROW_HEIGHT);
}

function mostNodes(sankey: Sankey): number {
  return Math.max(1, ...sankey.dimensions.map((_, i) => sankey.nodes.filter((node) => node.dimension === i).length));
}

/** Marks of the nodes. Colours are told apart within a column: there are not enough for all. */
export function sankeyMarks(sankey: Sankey, colors: GraphColors): Mark[] {
  const named = sankey.dimensions.map((_, i) =>
    colorsOf(
      sankey.nodes.filter((node) => node.dimension === i && !node.other).map((node) => node.label),
      colors.series,
    ),
  );
  return sankey.nodes.map((node) => {
    const color = node.other ? undefined : named[node.dimension]?.get(node.label);
    return nodeMark(sankey.dimensions, node, color ?? colors.other);
  });
}

export function sankeyGraph(sankey: Sankey, context: GraphContext): BuiltGraph {
  const { colors } = context;
  const nodes = sankeyMarks(sankey, colors);
  const last = sankey.dimensions.length - 1;
  const step = last > 0 ? (context.width - 2 * SIDE - NODE_WIDTH) / last : 0;

  return {
    option: {
      ...baseOption(context),
      title: sankey.dimensions.map((column, i) => ({
        text: context.title(column),
        top: 4,
        padding: 0,
        textStyle: { fontSize: 12 * context.scale, fontWeight: 600, color: colors.ink2 },
        ...(i === last
          ? { right: SIDE }
          : { left: SIDE + i * step }),
      })),
      tooltip: {
        ...tooltipStyle(context),
        trigger: "item",
        formatter: (params: unknown) => itemTooltip(sankey, params as ItemParams, nodes, context),
      },
      series: [
        {
          type: "sankey",
          left: SIDE,
          right: SIDE,
          top: TOP,
          bottom: 10,
          nodeWidth: NODE_WIDTH,
          nodeGap: Math.min(12, (context.height * 0.35) / mostNodes(sankey)),
          draggable: false,
          nodeAlign: "left",
          layoutIterations: 48,
          data: sankey.nodes.map((node, i) => ({
            name: String(i),
            depth: node.dimension,
            value: node.rate,
            itemStyle: { color: nodes[i]?.color, borderWidth: 0 },
            label: { position: node.dimension === last ? ("left" as const) : ("right" as const) },
          })),
          links: sankey.links.map((link) => ({ source: String(link.source), target: String(link.target), value: link.rate })),
          label: {
            color: colors.ink,
            fontSize: 12 * context.scale,
            width: Math.max(step - NODE_WIDTH - 16, 40),
            overflow: "truncate",
            textBorderColor: colors.surface,
            textBorderWidth: 2,
            formatter: (params: { dataIndex: number }) => nodeLabel(sankey.nodes[params.dataIndex]),
          },
          lineStyle: { color: "gradient", opacity: 0.32, curveness: 0.5 },
          emphasis: { focus: "adjacency", lineStyle: { opacity: 0.6 } },
          blur: { itemStyle: { opacity: 0.25 }, lineStyle: { opacity: 0.06 }, label: { opacity: 0.3 } },
        },
      ],
    },
    marks: nodes,
    markAt: (place) => markAt(sankey, place, nodes),
    placesOf: (id): Place[] =>
      nodes.flatMap((mark, dataIndex) => (mark.id === id ? [{ seriesIndex: 0, dataIndex, dataType: "node" }] : [])),
    scale: null,
  };
}

function nodeLabel(node: SankeyNode | undefined): string {
  if (!node) return "";
  return node.other ? OTHER : shown(node.label);
}

function markAt(sankey: Sankey, { dataIndex = -1, dataType }: Place, nodes: readonly Mark[]): Mark | null {
  if (dataType !== "edge") return nodes[dataIndex] ?? null;
  const link = sankey.links[dataIndex];
  const source = nodes[link?.source ?? -1];
  const target = nodes[link?.target ?? -1];
  return source && target ? jointMark(`${source.id}>${target.id}`, [source, target], " → ", source.color) : null;
}

interface ItemParams {
  dataIndex: number;
  dataType?: string;
}

function itemTooltip(sankey: Sankey, params: ItemParams, nodes: readonly Mark[], context: GraphContext): HTMLElement | string {
  const mark = markAt(sankey, { seriesIndex: 0, ...params }, nodes);
  if (!mark) return "";
  const link = params.dataType === "edge" ? sankey.links[params.dataIndex] : undefined;
  const places = link ? [link.source, link.target] : [params.dataIndex];
  const columns = places.map((place) => context.title(sankey.dimensions[sankey.nodes[place]?.dimension ?? -1] ?? ""));
  const value = link?.rate ?? sankey.nodes[params.dataIndex]?.rate ?? 0;
  const rows = [{ mark, value, text: context.value(value), detail: formatShare(value / sankey.total) }];
  return tooltip(columns.join(" → "), tooltipGroup("", rows, null));
}
