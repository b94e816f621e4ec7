/** What the options of all graphs share. */
import type { EChartsOption, TooltipComponentOption } from "echarts";
import type { GraphContext } from "@/graphs/context";

export function baseOption(context: GraphContext): EChartsOption {
  return {
    animation: false,
    useUTC: context.utc,
  };
}

export function tooltipStyle(context: GraphContext): TooltipComponentOption {
  const { colors } = context;
  return {
    confine: true,
    transitionDuration: 0,
    backgroundColor: colors.raised,
    borderColor: colors.grid,
    borderWidth: 1,
    padding: [8, 10],
    textStyle: { color: colors.ink, fontSize: 12 * context.scale },
    extraCssText: "box-shadow:0 4px 18px rgb(0 0 0 / 18%);border-radius:8px;z-index:30",
  };
}

/** Room of the drawing: as much as the labels of the axes leave. */
export function fullGrid(right = 14) {
  return {
    left: 6,
    right,
    top: 14,
    bottom: 4,
    outerBoundsMode: "same" as const,
    outerBoundsContain: "axisLabel" as const,
  };
}

export function timeAxis(context: GraphContext, min: number, max: number) {
  const { colors } = context;
  return {
    type: "time" as const,
    min,
    max,
    axisLine: { lineStyle: { color: colors.grid } },
    axisTick: { lineStyle: { color: colors.grid } },
    axisLabel: { color: colors.ink3, hideOverlap: true, fontSize: 11 * context.scale },
    splitLine: { show: false },
    splitNumber: Math.max(2, Math.floor(context.width / (110 * context.scale))),
  };
}

export function valueAxis(context: GraphContext, tick = context.tick) {
  const { colors } = context;
  return {
    type: "value" as const,
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: colors.ink3, fontSize: 11 * context.scale, formatter: (value: number) => tick(Math.abs(value)) },
    splitLine: { lineStyle: { color: colors.grid } },
    splitNumber: 4,
  };
}

/** The line at the pointer. It leaves the series as they are: only what the pointer is over stands out. */
export function axisPointer(context: GraphContext) {
  return {
    type: "line" as const,
    lineStyle: { color: context.colors.ink3, type: "dashed" as const },
    label: { show: false },
    triggerEmphasis: false,
  };
}

const LETTER_PX = 7.8;

/** Pixels for the longest of some names beside an axis, at most a part of the width. */
export function roomForNames(names: readonly string[], context: GraphContext, part: number, most: number): number {
  const longest = Math.max(0, ...names.map((name) => name.length));
  return Math.round(Math.min((longest * LETTER_PX + 8) * context.scale, Math.max(context.width * part, 80), most));
}
