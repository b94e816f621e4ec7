/**
 * The complete state of an exploration, and its address. Every page that shows a graph links here for "the
 * exploration behind it":
 *
 *     router.push(exploreLocation(exploration({ kind: "bars", dimensions: ["DstPort"], filter: "Proto = udp" })))
 *
 * The address is readable and written by hand if need be: `/explore?v=1&graph=sankey&by=SrcAS,DstAS&from=now-6h`.
 * What is the default is left out, what is unknown is passed over; `v` grows if a name ever changes its meaning.
 */
import type { LocationQuery, LocationQueryRaw, RouteLocationRaw } from "vue-router";
import { UNITS, type Unit } from "@/format";
import { calendarUnit, type CalendarUnit } from "@/graphs/buckets";

export const GRAPH_KINDS = ["stacked", "percent", "lines", "grid", "columns", "bars", "heatmap", "sankey"] as const;
export type GraphKind = (typeof GRAPH_KINDS)[number];

export const LIMITS_BY = ["average", "maximum", "last", "p95"] as const;
export type LimitBy = (typeof LIMITS_BY)[number];
export const LIMIT_WORDS: Readonly<Record<LimitBy, string>> = {
  average: "by average",
  maximum: "by maximum",
  last: "by last value",
  p95: "by 95th percentile",
};

export const PERIODS = ["auto", "hour", "day", "week", "4-weeks", "month", "year", "52-weeks"] as const;
export type Period = (typeof PERIODS)[number];

export interface Exploration {
  kind: GraphKind;
  /** Columns to group by, in order; the rows of a heatmap. */
  dimensions: string[];
  /** Columns a heatmap has from left to right; none: time. */
  across: string[];
  /** In the filter language. */
  filter: string;
  /** Words the time picker understands: `now-6h`, `yesterday`, `2026-01-31T12:00:00Z`. */
  from: string;
  to: string;
  unit: Unit;
  limit: number;
  limitBy: LimitBy;
  /** Points at most; null: as many as the kind of graph wants. */
  points: number | null;
  /** Length of the buckets, in place of `points`: seconds, or a unit of the calendar; null: it follows from the range. */
  interval: number | CalendarUnit | null;
  bidirectional: boolean;
  previous: Period | null;
  truncateV4: number;
  truncateV6: number;
  /** Flows over their whole time, in place of the second they were received. */
  spread: boolean;
  /** Without flows whose figures cannot be right. */
  plausible: boolean;
}

export const MAX_DIMENSIONS = 8;
export const MAX_LIMIT = 50;
const MAX_POINTS = 2000;
const MAX_INTERVAL = 366 * 86_400;
const VERSION = "1";
const COLUMN = /^[A-Za-z][A-Za-z0-9_]{0,255}$/;

export const DEFAULTS: Readonly<Exploration> = {
  kind: "stacked",
  dimensions: ["SrcAS"],
  across: [],
  filter: "",
  from: "now-6h",
  to: "now",
  unit: "bits/s",
  limit: 10,
  limitBy: "average",
  points: null,
  interval: null,
  bidirectional: false,
  previous: null,
  truncateV4: 32,
  truncateV6: 128,
  spread: false,
  plausible: false,
};

/** An exploration that differs from the usual one in what is given. */
export function exploration(differences: Partial<Exploration> = {}): Exploration {
  return {
    ...DEFAULTS,
    ...differences,
    dimensions: [...(differences.dimensions ?? DEFAULTS.dimensions)],
    across: [...(differences.across ?? DEFAULTS.across)],
  };
}

/** What the address of a page says, or the default where it says nothing that is understood. */
export function parseExploration(query: LocationQuery): Exploration {
  const text = (name: string): string | null => {
    const value = query[name];
    return (Array.isArray(value) ? value[0] : value) ?? null;
  };
  return {
    kind: oneOf(GRAPH_KINDS, text("graph"), DEFAULTS.kind),
    dimensions: columns(text("by"), DEFAULTS.dimensions),
    across: columns(text("across"), DEFAULTS.across),
    filter: text("filter") ?? DEFAULTS.filter,
    from: text("from") || DEFAULTS.from,
    to: text("to") || DEFAULTS.to,
    unit: oneOf(UNITS, text("unit"), DEFAULTS.unit),
    limit: whole(text("limit"), 1, MAX_LIMIT) ?? DEFAULTS.limit,
    limitBy: oneOf(LIMITS_BY, text("limit-by"), DEFAULTS.limitBy),
    points: whole(text("points"), 1, MAX_POINTS),
    interval: calendarUnit(text("interval")) ?? whole(text("interval"), 1, MAX_INTERVAL),
    bidirectional: flag(text("both")),
    previous: oneOf([...PERIODS, null], text("previous"), DEFAULTS.previous),
    truncateV4: whole(text("v4"), 0, 32) ?? DEFAULTS.truncateV4,
    truncateV6: whole(text("v6"), 0, 128) ?? DEFAULTS.truncateV6,
    spread: flag(text("spread")),
    plausible: flag(text("plausible")),
  };
}

/** The query of an exploration's address, without what is the default. */
export function explorationQuery(e: Exploration): LocationQueryRaw {
  const query: LocationQueryRaw = { v: VERSION };
  const say = (name: string, value: string | number | boolean | null, usual: string | number | boolean | null): void => {
    if (value !== usual && value !== null) query[name] = typeof value === "boolean" ? "1" : String(value);
  };
  say("graph", e.kind, DEFAULTS.kind);
  say("by", e.dimensions.join(","), DEFAULTS.dimensions.join(","));
  say("across", e.across.join(","), DEFAULTS.across.join(","));
  say("filter", e.filter, DEFAULTS.filter);
  say("from", e.from, DEFAULTS.from);
  say("to", e.to, DEFAULTS.to);
  say("unit", e.unit, DEFAULTS.unit);
  say("limit", e.limit, DEFAULTS.limit);
  say("limit-by", e.limitBy, DEFAULTS.limitBy);
  say("points", e.points, null);
  say("interval", e.interval, null);
  say("both", e.bidirectional, false);
  say("previous", e.previous, null);
  say("v4", e.truncateV4, DEFAULTS.truncateV4);
  say("v6", e.truncateV6, DEFAULTS.truncateV6);
  say("spread", e.spread, false);
  say("plausible", e.plausible, false);
  return query;
}

/** Where an exploration is shown. */
export function exploreLocation(e: Exploration): RouteLocationRaw {
  return { name: "explore", query: explorationQuery(e) };
}

/** Whether two explorations are the same. */
export function sameExploration(a: Exploration, b: Exploration): boolean {
  return JSON.stringify(explorationQuery(a)) === JSON.stringify(explorationQuery(b));
}

/** An exploration out of what was stored as JSON (a view, a tile of a dashboard), which may be of another version. */
export function storedExploration(stored: unknown): Exploration {
  if (typeof stored !== "object" || stored === null) return exploration();
  const text = new Map(Object.entries(stored).map(([name, value]) => [name, value as unknown]));
  const query: LocationQuery = {};
  for (const [name, key] of STORED) {
    const value = text.get(name);
    if (Array.isArray(value)) query[key] = value.join(",");
    else if (typeof value === "boolean") query[key] = value ? "1" : "0";
    else if (typeof value === "string" || typeof value === "number") query[key] = String(value);
  }
  return parseExploration(query);
}

const STORED: readonly (readonly [keyof Exploration, string])[] = [
  ["kind", "graph"],
  ["dimensions", "by"],
  ["across", "across"],
  ["filter", "filter"],
  ["from", "from"],
  ["to", "to"],
  ["unit", "unit"],
  ["limit", "limit"],
  ["limitBy", "limit-by"],
  ["points", "points"],
  ["interval", "interval"],
  ["bidirectional", "both"],
  ["previous", "previous"],
  ["truncateV4", "v4"],
  ["truncateV6", "v6"],
  ["spread", "spread"],
  ["plausible", "plausible"],
];

function oneOf<T extends string | null>(values: readonly T[], value: string | null, usual: T): T {
  return values.find((v) => v === value) ?? usual;
}

function columns(text: string | null, usual: readonly string[]): string[] {
  if (text === null) return [...usual];
  const names = text.split(",").filter((name) => COLUMN.test(name));
  return [...new Set(names)].slice(0, MAX_DIMENSIONS);
}

function whole(text: string | null, least: number, most: number): number | null {
  if (text === null || !/^\d{1,9}$/.test(text)) return null;
  return Math.min(Math.max(Number(text), least), most);
}

function flag(text: string | null): boolean {
  return text === "1" || text === "true";
}
