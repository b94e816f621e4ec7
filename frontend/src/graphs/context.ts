/** What a graph is drawn with: its size, colours, and how values and times are written. */
import type { ChartColors } from "@/composables/useChartTheme";

/** Those of the theme that graphs draw with. */
export type GraphColors = Pick<
  ChartColors,
  "ink" | "ink2" | "ink3" | "grid" | "line" | "surface" | "raised" | "accent" | "other" | "series" | "ramp"
>;

export interface GraphContext {
  width: number;
  height: number;
  colors: GraphColors;
  /** Size of letters, 1 on a desk: a wall screen has larger ones. */
  scale: number;
  utc: boolean;
  /** A value in the answer's unit. */
  value: (value: number) => string;
  /** The same beside an axis, where room is short. */
  tick: (value: number) => string;
  /** A moment, in Unix milliseconds. */
  moment: (ms: number) => string;
  /** What stands beside a moment to say its zone. */
  zone: (ms: number) => string;
  /** Title of a column. */
  title: (column: string) => string;
  /** Mark that is looked at while the tooltip is made. */
  looked: () => string | null;
}
