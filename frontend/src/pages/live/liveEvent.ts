/** What the live stream says twice a second. */
import type { Flow } from "@/pages/flows/values";

export const MEASURES = ["bits/s", "packets/s", "flows/s"] as const;
export type Measure = (typeof MEASURES)[number];
export type Rates = Readonly<Record<Measure, number>>;

export interface LiveEvent {
  flows: readonly Flow[];
  /** Flows that matched since the event before. */
  seen: number;
  /** Flows that this browser was too slow for, since it came. */
  missed: number;
  rates: Rates;
  /** The first of a connection: what it measures is no whole interval. */
  first?: boolean;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : 0;
}

/** An event of the stream; null if it is none. */
export function readLiveEvent(data: string): LiveEvent | null {
  let body: unknown;
  try {
    body = JSON.parse(data);
  } catch {
    return null;
  }
  if (!isRecord(body) || !Array.isArray(body["flows"])) return null;
  const rates = isRecord(body["rates"]) ? body["rates"] : {};
  return {
    flows: body["flows"].filter(isRecord) as Flow[],
    seen: count(body["seen"]),
    missed: count(body["missed"]),
    rates: {
      "bits/s": count(rates["bits_per_second"]),
      "packets/s": count(rates["packets_per_second"]),
      "flows/s": count(rates["flows_per_second"]),
    },
  };
}
