/** Bars: the largest over the range, one under the other. Who is the largest, and by how much, at one look. */
import { formatShare } from "@/format";
import type { Top, TopRow } from "@/graphs/answers";
import type { BuiltGraph, Place } from "@/graphs/built";
import { colorsOf } from "@/graphs/colors";
import type { GraphContext } from "@/graphs/context";
import { OTHER, rowMark, rowName, type Mark } from "@/graphs/marks";
import { baseOption, roomForNames, tooltipStyle } from "@/graphs/options/common";
import { tooltip, tooltipGroup } from "@/graphs/tooltip";

const BAR_HEIGHT = 30;
const MARGIN = 8;
/** Height below which not every bar has room for its name. */
const LEAST_BAR = 15;

interface Bar {
  mark: Mark;
  value: number;
  share: number;
}

/** Height at which each bar has its usual size. */
export function barsHeight(top: Top): number {
  return (top.rows.length + (restBar(top) > 0 ? 1 : 0)) * BAR_HEIGHT + 2 * MARGIN;
}

/** What is not among the rows, if a rest can be told: percentages of different interfaces do not add up. */
export function restOf(top: Top): number {
  if (top.unit.endsWith("%")) return 0;
  const rest = top.total.value - top.rows.reduce((sum, row) => sum + row.value, 0);
  return rest > top.total.value * 1e-6 ? rest : 0;
}

/** The rest, if it has a bar: one longer than all others would make them too short to compare. */
function restBar(top: Top): number {
  const rest = restOf(top);
  return rest <= (top.rows[0]?.value ?? 0) ? rest : 0;
}

function barsOf(top: Top, palette: readonly string[], otherColor: string): Bar[] {
  const colors = colorsOf(top.rows.map(rowName), palette);
  const bar = (row: TopRow): Bar => ({
    mark: rowMark(top.dimensions, row, colors.get(rowName(row)) ?? otherColor),
    value: row.value,
    share: row.share,
  });
  const rest = restBar(top);
  if (rest === 0) return top.rows.map(bar);
  const mark = rowMark(top.dimensions, { dimensions: [], labels: [], other: true }, otherColor);
  return [...top.rows.map(bar), { mark: { ...mark, name: OTHER }, value: rest, share: rest / top.total.value }];
}

export function barsGraph(top: Top, context: GraphContext): BuiltGraph {
  const { colors } = context;
  const bars = barsOf(top, colors.series, colors.other);
  const nameWidth = roomForNames(bars.map((bar) => bar.mark.name), context, 0.32, 260);
  const crowded = context.height / Math.max(bars.length, 1) < LEAST_BAR * context.scale;
  return {
    option: {
      ...baseOption(context),
      grid: { left: nameWidth + 12, right: (context.width < 500 ? 84 : 130) * context.scale, top: MARGIN, bottom: MARGIN, outerBoundsMode: "none" },
      xAxis: { type: "value", show: false, max: "dataMax" },
      yAxis: {
        type: "category",
        inverse: true,
        data: bars.map((bar) => bar.mark.name),
        axisLine: { show: false },
        axisTick: { show: false },
        axisLabel: { color: colors.ink, width: nameWidth, overflow: "truncate", interval: crowded ? "auto" : 0, margin: 10, fontSize: 12 * context.scale },
      },
      tooltip: {
        ...tooltipStyle(context),
        trigger: "item",
        formatter: (params: unknown) => barTooltip(bars[(params as { dataIndex: number }).dataIndex], top, context),
      },
      series: [
        {
          type: "bar",
          data: bars.map((bar) => ({ value: bar.value, itemStyle: { color: bar.mark.color, borderRadius: [0, 4, 4, 0] } })),
          barMaxWidth: 20,
          barMinHeight: 2,
          showBackground: true,
          backgroundStyle: { color: colors.grid, opacity: 0.45, borderRadius: [0, 4, 4, 0] },
          label: {
            show: true,
            position: "right",
            fontSize: 12 * context.scale,
            color: colors.ink2,
            formatter: ({ dataIndex }) => barLabel(bars[dataIndex], context),
            rich: { share: { color: colors.ink3, fontSize: 11 * context.scale } },
          },
          emphasis: { focus: "self" },
          blur: { itemStyle: { opacity: 0.25 }, label: { opacity: 0.4 } },
        },
      ],
    },
    marks: bars.map((bar) => bar.mark),
    markAt: ({ dataIndex }) => bars[dataIndex ?? -1]?.mark ?? null,
    placesOf: (id): Place[] => bars.flatMap((bar, dataIndex) => (bar.mark.id === id ? [{ seriesIndex: 0, dataIndex }] : [])),
    scale: null,
  };
}

function barLabel(bar: Bar | undefined, context: GraphContext): string {
  if (!bar) return "";
  const value = context.value(bar.value);
  return context.width < 500 ? value : `${value}  {share|${formatShare(bar.share)}}`;
}

function barTooltip(bar: Bar | undefined, top: Top, context: GraphContext): HTMLElement | string {
  if (!bar) return "";
  const rows = [{ mark: bar.mark, value: bar.value, text: context.value(bar.value), detail: formatShare(bar.share) }];
  return tooltip(top.dimensions.map(context.title).join(" · "), tooltipGroup("", rows, null));
}
