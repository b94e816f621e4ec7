/** The rates of the last five minutes as a drawing. */
import type { LineSeriesOption } from "echarts";
import type { ChartContext, ChartOption, ChartTable } from "@/charts/types";
import { zonedTime } from "@/composables/useFormat";
import { formatUnit, UNIT_WORDS } from "@/format";
import { tickIn } from "@/graphs/describe";
import { COURSE_SECONDS, type Course } from "@/pages/live/course";
import type { Measure } from "@/pages/live/liveEvent";

type Point = [number, number | null];
/** A pause longer than this is a gap, not a slope. */
const GAP_S = 3;

/** Points over time, with nothing where nothing was heard. */
export function pointsOf(course: Course, measure: Measure): Point[] {
  return course.flatMap(({ second, rates }, at): Point[] => {
    const before = course[at - 1]?.second;
    const point: Point = [second * 1000, rates[measure]];
    return before !== undefined && second - before > GAP_S ? [[(before + 1) * 1000, null], point] : [point];
  });
}

export function courseOption(course: Course, measure: Measure, utc: boolean): (context: ChartContext) => ChartOption {
  // The second that still fills would drop the line each time.
  const whole = course.slice(0, -1);
  const end = (whole.at(-1)?.second ?? Date.now() / 1000) * 1000;
  return ({ colors, width }) => {
    const line: LineSeriesOption = {
      type: "line",
      name: UNIT_WORDS[measure].title,
      data: pointsOf(whole, measure),
      showSymbol: false,
      color: colors.accent,
      lineStyle: { width: 1.5 },
      areaStyle: { opacity: 0.18 },
      emphasis: { disabled: true },
    };
    return {
      animation: false,
      useUTC: utc,
      grid: { left: 6, right: 12, top: 10, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      xAxis: {
        type: "time",
        min: end - (COURSE_SECONDS - 1) * 1000,
        max: end,
        axisLine: { lineStyle: { color: colors.grid } },
        axisTick: { show: false },
        axisLabel: { color: colors.ink3, fontSize: 11, hideOverlap: true },
        splitNumber: Math.max(2, Math.floor(width / 110)),
      },
      yAxis: {
        type: "value",
        min: 0,
        splitNumber: 3,
        axisLabel: { color: colors.ink3, fontSize: 11, formatter: (value: number) => tickIn(measure, value) },
        splitLine: { lineStyle: { color: colors.grid } },
      },
      tooltip: {
        trigger: "axis",
        confine: true,
        transitionDuration: 0,
        backgroundColor: colors.raised,
        borderColor: colors.grid,
        textStyle: { color: colors.ink, fontSize: 12 },
        axisPointer: { type: "line", lineStyle: { color: colors.ink3, type: "dashed" }, label: { show: false } },
        formatter: (params: unknown) => tip(params, measure, utc),
      },
      series: [line],
    };
  };
}

function tip(params: unknown, measure: Measure, utc: boolean): string {
  const first: unknown = Array.isArray(params) ? params[0] : params;
  const value = (first as { value?: unknown } | undefined)?.value;
  if (!Array.isArray(value) || typeof value[1] !== "number") return "";
  return `${zonedTime(Number(value[0]), utc, "clock")}<br><b>${formatUnit(value[1], measure)}</b>`;
}

const TABLE_STEP_S = 15;

/** The same for readers, a row for each quarter of a minute. */
export function courseTable(course: Course, measure: Measure, utc: boolean): ChartTable {
  return {
    columns: ["Time", UNIT_WORDS[measure].title],
    rows: course
      .filter(({ second }) => second % TABLE_STEP_S === 0)
      .map(({ second, rates }) => [zonedTime(second * 1000, utc, "clock"), formatUnit(rates[measure], measure)]),
  };
}
