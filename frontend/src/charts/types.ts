import type { EChartsCoreOption } from "echarts/core";
import type { ChartColors } from "@/composables/useChartTheme";

export type ChartOption = EChartsCoreOption;

/** What an option is made with. */
export interface ChartContext {
  colors: ChartColors;
  width: number;
  height: number;
}

/** What is under the pointer, or was clicked. */
export interface ChartMark {
  seriesName: string;
  seriesIndex: number;
  dataIndex: number;
  /** Name of the item: a category, a node. */
  name: string;
  /** Kind of item in a graph: `node` or `edge`; empty elsewhere. */
  dataType: string;
  value: unknown;
  data: unknown;
}

/** The same as the drawing, for people and programs that read. */
export interface ChartTable {
  columns: readonly string[];
  rows: readonly (readonly string[])[];
}
