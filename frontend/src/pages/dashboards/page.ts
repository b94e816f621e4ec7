/** What a page tells its widgets. */
import type { InjectionKey } from "vue";
import type { Clause } from "@/graphs/marks";
import type { TimeRange } from "@/time/range";

export interface DashboardPage {
  range: () => TimeRange;
  /** Filter of the page. */
  filter: () => string;
  /** Whether implausible flows are left out of all widgets. */
  plausible: () => boolean;
  /** Grows when the page asks again. */
  turn: () => number;
  /** A value was clicked: the page shows it alone, or without it. */
  narrow: (clauses: readonly Clause[], exclude: boolean) => void;
  /** A range was dragged over. */
  zoom: (range: TimeRange) => void;
  /** Leave implausible flows out, or no longer. */
  leaveOut: (leave: boolean) => void;
}

export const PAGE: InjectionKey<DashboardPage> = Symbol("dashboard page");
