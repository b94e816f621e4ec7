/** The kinds of graphs, as a user chooses between them. */
import type { GraphKind } from "@/graphs/exploration";

export interface KindInfo {
  kind: GraphKind;
  label: string;
  /** What it shows, for who hovers over its button. */
  description: string;
  /** Key that chooses it. */
  key: string;
  /** Drawing, 24 × 24. */
  path: string;
  /** Points over time it asks for; 0: it has no time. */
  points: number;
}

export const KINDS: readonly KindInfo[] = [
  {
    kind: "stacked",
    label: "Stacked",
    description: "Areas on top of each other: the total over time and what it is made of",
    key: "1",
    path: "M3 20V13l5-3 5 3 8-6v13zM3 13V9l5-4 5 3 8-5v4",
    points: 200,
  },
  {
    kind: "percent",
    label: "100 %",
    description: "Areas as parts of the whole: how the mix changes, whatever the total",
    key: "2",
    path: "M3 4h18v16H3zM3 15l6-3 5 2 7-4M3 9l6 1 5-3 7 1",
    points: 200,
  },
  {
    kind: "lines",
    label: "Lines",
    description: "A line for each: compare their courses",
    key: "3",
    path: "M3 16l5-6 5 4 8-9M3 20l6-3 6 1 6-4",
    points: 200,
  },
  {
    kind: "grid",
    label: "Grid",
    description: "A small graph for each, on its own scale: see the course of small ones too",
    key: "4",
    path: "M3 3h7.5v7.5H3zM13.5 3H21v7.5h-7.5zM3 13.5h7.5V21H3zM13.5 13.5H21V21h-7.5zM4.5 8l2-2 2.5 2M15 8l2-3 2.5 2M4.5 18.5l2-2 2.5 1M15 17l2 1 2.5-2",
    points: 120,
  },
  {
    kind: "columns",
    label: "Columns",
    description: "Stacked columns, one for each interval: volumes per hour or day",
    key: "5",
    path: "M4 20v-8h4v8M10 20V6h4v14M16 20V10h4v10M3 20h18M4 16h4M10 13h4M16 15h4",
    points: 48,
  },
  {
    kind: "bars",
    label: "Bars",
    description: "The largest over the whole range, one under the other, with their shares",
    key: "6",
    path: "M4 3v18M4 5h16v3H4M4 10.5h11v3H4M4 16h6v3H4",
    points: 0,
  },
  {
    kind: "heatmap",
    label: "Heatmap",
    description: "Rows against time, or against another column: when, or with whom, is it much",
    key: "7",
    path: "M3 4h18v16H3zM3 9.33h18M3 14.67h18M9 4v16M15 4v16M10.5 11h3v2h-3zM16.5 5.5h3v2h-3z",
    points: 100,
  },
  {
    kind: "sankey",
    label: "Sankey",
    description: "What flows from each value of a column to each value of the next; two dimensions or more",
    key: "8",
    path: "M3 4v7M3 14v6M21 3v5M21 11v4M21 18v3M3 6c8 0 9-1 18-1M3 9c8 0 9 4 18 4M3 16c8 0 9-3 18-3M3 18c8 0 9 1.5 18 1.5",
    points: 0,
  },
];

const BY_KIND = new Map(KINDS.map((info) => [info.kind, info]));

export function kindInfo(kind: GraphKind): KindInfo {
  const info = BY_KIND.get(kind);
  if (!info) throw new RangeError(`no such kind of graph: ${kind}`);
  return info;
}

export function isPercentage(unit: string): boolean {
  return unit.endsWith("%");
}
