/** Answers as the API gives them, for tests. */
import type { Heatmap, Sankey, Series, SeriesRow, Top, TopRow } from "@/graphs/answers";
import type { GraphContext } from "@/graphs/context";

export const START = "2026-01-31T12:00:00Z";
const MINUTE = 60_000;

export function at(minutes: number): string {
  return new Date(Date.parse(START) + minutes * MINUTE).toISOString().replace(".000Z", "Z");
}

export function row(label: string, points: number[], changes: Partial<SeriesRow> = {}): SeriesRow {
  const sum = points.reduce((a, b) => a + b, 0);
  return {
    dimensions: [label],
    labels: [label],
    other: false,
    points,
    average: sum / points.length,
    minimum: Math.min(...points),
    maximum: Math.max(...points),
    last: points.at(-1) ?? 0,
    percentile95: Math.max(...points),
    total: (sum * 60) / 8,
    ...changes,
  };
}

export const otherRow = (points: number[]): SeriesRow => row("", points, { dimensions: [], labels: [], other: true });

export function series(changes: Partial<Series> = {}): Series {
  return {
    dimensions: ["SrcAS"],
    unit: "bits/s",
    start: at(0),
    end: at(4),
    asked_start: at(0),
    asked_end: at(4),
    covered_start: at(0),
    implausible_flows: 0,
    covered_end: at(4),
    interval: "seconds",
    interval_seconds: 60,
    figures_seconds: 60,
    seconds: [60, 60, 60, 60],
    times: [at(0), at(1), at(2), at(3)],
    rows: [row("AS1 One", [40, 60, 50, 70]), row("AS2 Two", [30, 20, 10, 20]), otherRow([30, 20, 40, 10])],
    reverse: null,
    previous: null,
    total: row("", [100, 100, 100, 100], { dimensions: [], labels: [] }),
    sources: [{ table: "flows", start: at(0), end: at(4) }],
    sql: ["SELECT 1"],
    ...changes,
  };
}

export function topRow(label: string, value: number, share: number): TopRow {
  return { dimensions: [label], labels: [label], value, share, bytes: value, packets: 1, flows: 1 };
}

export function top(changes: Partial<Top> = {}): Top {
  return {
    dimensions: ["SrcAS"],
    unit: "bits/s",
    start: at(0),
    end: at(4),
    asked_start: at(0),
    asked_end: at(4),
    covered_start: at(0),
    implausible_flows: 0,
    covered_end: at(4),
    rows: [topRow("AS1 One", 60, 0.6), topRow("AS2 Two", 30, 0.3)],
    total: { ...topRow("", 100, 1), dimensions: [], labels: [] },
    sources: [],
    sql: [],
    ...changes,
  };
}

export function sankey(changes: Partial<Sankey> = {}): Sankey {
  return {
    dimensions: ["SrcAS", "InIfProvider"],
    unit: "bits/s",
    start: at(0),
    end: at(4),
    asked_start: at(0),
    asked_end: at(4),
    covered_start: at(0),
    implausible_flows: 0,
    covered_end: at(4),
    nodes: [
      { dimension: 0, value: 1, label: "AS1 One", other: false, rate: 70 },
      { dimension: 0, value: null, label: "Other", other: true, rate: 30 },
      { dimension: 1, value: "cogent", label: "cogent", other: false, rate: 100 },
    ],
    links: [
      { source: 0, target: 2, rate: 70 },
      { source: 1, target: 2, rate: 30 },
    ],
    total: 100,
    sources: [],
    sql: [],
    ...changes,
  };
}

export function heatmap(changes: Partial<Heatmap> = {}): Heatmap {
  const time = (minutes: number) => ({ dimensions: [], labels: [], other: false, time: at(minutes) });
  return {
    down: ["SrcAS"],
    across: [],
    unit: "bits/s",
    start: at(0),
    end: at(2),
    asked_start: at(0),
    asked_end: at(2),
    covered_start: at(0),
    implausible_flows: 0,
    covered_end: at(2),
    interval: "seconds",
    interval_seconds: 60,
    seconds: [60, 60],
    rows: [
      { dimensions: [1], labels: ["AS1 One"], other: false, time: null },
      { dimensions: [], labels: [], other: true, time: null },
    ],
    columns: [time(0), time(1)],
    values: [
      [100, 25],
      [0, 1],
    ],
    sources: [],
    sql: [],
    ...changes,
  };
}

export function context(changes: Partial<GraphContext> = {}): GraphContext {
  return {
    width: 800,
    height: 360,
    colors: {
      ink: "#000",
      ink2: "#222",
      ink3: "#444",
      grid: "#eee",
      line: "#ddd",
      surface: "#fff",
      raised: "#fff",
      accent: "#06c",
      other: "#999",
      series: ["#a00", "#0a0", "#00a", "#aa0", "#0aa"],
      ramp: ["#fff", "#06c"],
    },
    scale: 1,
    utc: true,
    value: (value) => `${value} bit/s`,
    tick: (value) => String(value),
    moment: (ms) => new Date(ms).toISOString().slice(11, 16),
    zone: () => "UTC",
    title: (column) => column,
    looked: () => null,
    ...changes,
  };
}
