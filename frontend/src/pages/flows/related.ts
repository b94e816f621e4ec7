/** Flows that belong to one: which filter finds them, and when they were. */
import type { Clause } from "@/graphs/marks";
import type { Flow } from "@/pages/flows/values";
import { fixedRange, type TimeRange } from "@/time/range";

export type Relation = "same" | "reverse" | "pair" | "source" | "destination" | "interface";

export interface Related {
  relation: Relation;
  label: string;
  detail: string;
}

const ALL: readonly (Related & { needs: readonly string[] })[] = [
  { relation: "pair", label: "Between these two addresses", detail: "both directions", needs: ["SrcAddr", "DstAddr"] },
  { relation: "reverse", label: "The reverse direction", detail: "answers", needs: ["SrcAddr", "DstAddr"] },
  { relation: "same", label: "The same conversation", detail: "other records", needs: ["SrcAddr", "DstAddr"] },
  { relation: "source", label: "Everything from the source", detail: "", needs: ["SrcAddr"] },
  { relation: "destination", label: "Everything to the destination", detail: "", needs: ["DstAddr"] },
  { relation: "interface", label: "Through the same input interface", detail: "", needs: ["ExporterAddress", "InIf"] },
];

const PARTNER: Readonly<Record<string, string>> = { SrcAddr: "DstAddr", DstAddr: "SrcAddr", SrcPort: "DstPort", DstPort: "SrcPort" };
const CONVERSATION = ["SrcAddr", "DstAddr", "SrcPort", "DstPort", "Proto"] as const;
const MARGIN_MS = 15 * 60_000;

const known = (flow: Flow, name: string): boolean => {
  const value = flow[name];
  return value !== null && value !== undefined && value !== "" && value !== "::" && !(name === "InIf" && value === 0);
};

/** Relations that a flow knows enough for. */
export function relationsOf(flow: Flow): Related[] {
  return ALL.filter(({ needs }) => needs.every((name) => known(flow, name)));
}

/** Conditions that related flows meet. */
export function relatedClauses(flow: Flow, relation: Relation): Clause[] {
  const is = (column: string, of = column): Clause => ({ column, value: flow[of], label: String(flow[of]) });
  const conversation = CONVERSATION.filter((name) => known(flow, name));
  switch (relation) {
    case "same":
      return conversation.map((name) => is(name));
    case "reverse":
      return conversation.map((name) => is(PARTNER[name] ?? name, name));
    case "pair":
      // Values of one column are alternatives: both ends on both sides is both directions.
      return [is("SrcAddr"), is("SrcAddr", "DstAddr"), is("DstAddr", "SrcAddr"), is("DstAddr")];
    case "source":
      return [is("SrcAddr")];
    case "destination":
      return [is("DstAddr")];
    case "interface":
      return [is("ExporterAddress"), is("InIf")];
  }
}

function moment(flow: Flow, name: string): number {
  const value = flow[name];
  return typeof value === "string" ? Date.parse(value) : NaN;
}

/** A quarter of an hour around a flow; null if nobody knows when it was. */
export function rangeAround(flow: Flow, margin = MARGIN_MS, now = Date.now()): TimeRange | null {
  const times = ["TimeReceived", "TimeFlowStart", "TimeFlowEnd"].map((name) => moment(flow, name)).filter((at) => at > 0);
  if (!times.length) return null;
  return fixedRange({ start: Math.min(...times) - margin, end: Math.min(Math.max(...times) + margin, Math.max(now, ...times) + 1000) });
}
