/** A graph ready to be drawn, and what is where in it. */
import type { EChartsOption } from "echarts";
import type { Mark } from "@/graphs/marks";

/** Where something is in the drawing. */
export interface Place {
  seriesIndex: number;
  dataIndex?: number;
  /** Of a Sankey: whether the index is of a node or of a link. */
  dataType?: string;
}

/** Horizontal axis of time, by which a range can be chosen with the pointer. */
export interface TimeScale {
  /** Starts of the buckets, Unix milliseconds, and the end of the last. */
  starts: readonly number[];
  end: number;
  /** Whether the drawing's own axis counts buckets, not milliseconds. */
  counted: boolean;
  /** Size of each drawing, if there are several side by side. */
  cell?: { width: number; height: number };
}

export interface BuiltGraph {
  option: EChartsOption;
  /** Series, rows or nodes, in order: a legend. */
  marks: readonly Mark[];
  /** What is at a place of the drawing. */
  markAt: (place: Place) => Mark | null;
  /** Where a mark is drawn. */
  placesOf: (id: string) => Place[];
  scale: TimeScale | null;
}

/** Bucket a moment lies in. */
function bucketOf(scale: TimeScale, ms: number): number {
  const after = scale.starts.findIndex((start) => start > ms);
  return Math.max((after === -1 ? scale.starts.length : after) - 1, 0);
}

/** Whole buckets between two places of the horizontal axis, as a range in Unix milliseconds; null if it is none. */
export function rangeBetween(scale: TimeScale, a: number, b: number): [number, number] | null {
  const [low, high] = a < b ? [a, b] : [b, a];
  if (!Number.isFinite(low) || !Number.isFinite(high) || scale.starts.length === 0) return null;
  const last = scale.starts.length - 1;
  const place = (at: number): number => Math.min(Math.max(scale.counted ? Math.round(at) : bucketOf(scale, at), 0), last);
  const [first, final] = [place(low), place(high)];
  return [scale.starts[first] ?? 0, scale.starts[final + 1] ?? scale.end];
}
