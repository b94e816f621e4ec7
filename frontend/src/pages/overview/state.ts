/** What the address of the overview says, and what follows from it for its tiles. */
import { choiceField, flagField, integerField, textField, urlCodec } from "@/composables/useUrlState";
import { exploration, type Exploration } from "@/graphs/exploration";
import { resolveRange, type TimeRange } from "@/time/range";
import type { Unit } from "@/format";

export const OVERVIEW_UNITS = ["bits/s", "packets/s", "flows/s"] as const satisfies readonly Unit[];
export type OverviewUnit = (typeof OVERVIEW_UNITS)[number];

/** What the traffic of the large graph is split by; `auto`: the boundary, or the exporter where boundaries are not known. */
export const SPLITS = [
  { value: "auto", label: "Automatic" },
  { value: "InIfBoundary", label: "Boundary" },
  { value: "FlowDirection", label: "Direction" },
  { value: "ExporterName", label: "Exporter" },
  { value: "EType", label: "IPv4 and IPv6" },
  { value: "Proto", label: "Protocol" },
  { value: "SrcCountry", label: "Source country" },
] as const;
export type Split = (typeof SPLITS)[number]["value"];

export type OverviewState = {
  from: string;
  to: string;
  filter: string;
  unit: OverviewUnit;
  split: Split;
  /** Seconds between two questions; 0: ask once. */
  refresh: number;
  /** Without flows whose figures cannot be right. */
  plausible: boolean;
};

export const overviewCodec = urlCodec<OverviewState>({
  from: textField("now-1h"),
  to: textField("now"),
  filter: textField(""),
  unit: choiceField<OverviewUnit>("bits/s", OVERVIEW_UNITS),
  split: choiceField<Split>(
    "auto",
    SPLITS.map(({ value }) => value),
  ),
  refresh: integerField(60, 0, 3600),
  plausible: flagField(),
});

const DAY_MS = 86_400_000;
const LAST_DAY: TimeRange = { from: "now-24h", to: "now" };

/**
 * Range of the large graph: the last day if that holds the chosen range; if not, the day before the end of the chosen
 * range, or that range itself where it is longer.
 */
export function graphRange(range: TimeRange, now: number, utc: boolean): TimeRange {
  const { span } = resolveRange(range, now, utc);
  if (!span || span.end - span.start > DAY_MS) return range;
  if (span.start >= now - DAY_MS) return LAST_DAY;
  return { from: new Date(span.end - DAY_MS).toISOString().replace(".000", ""), to: range.to };
}

/** Why a tile shows nothing: without a filter nothing can fail to match. */
export function emptyWords(filter: string): string {
  return filter.trim() ? "No flows match" : "No flows in this range";
}

/** The exploration behind a tile. */
export function tileExploration(state: OverviewState, differences: Partial<Exploration>): Exploration {
  const { from, to, filter, unit, plausible } = state;
  return exploration({ kind: "bars", from, to, filter, unit, plausible, ...differences });
}
