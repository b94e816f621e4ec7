/** Who talks most: the last minute, asked again every few seconds. */
import { api, ask } from "@/api/client";
import type { components } from "@/api/schema";
import { usePolling } from "@/composables/usePolling";
import { useQuestion, type Question } from "@/composables/useQuestion";
import type { Measure } from "@/pages/live/liveEvent";
import { zone } from "@/time/zone";

export type Top = components["schemas"]["Top"];
export type TopRow = components["schemas"]["TopRow"];

export interface TalkersQuestion {
  by: readonly string[];
  filter: string;
  measure: Measure;
  /** Without flows whose figures cannot be right. */
  plausible: boolean;
}

export const WINDOW_S = 60;
const TALKERS = 10;
const POLL_MS = 5000;
/** What was received in the last seconds is not stored yet. */
const LAG_MS = 3000;

export const PRESETS: readonly { label: string; by: readonly string[] }[] = [
  { label: "Sources", by: ["SrcAddr"] },
  { label: "Destinations", by: ["DstAddr"] },
  { label: "Conversations", by: ["SrcAddr", "DstAddr"] },
  { label: "Source AS", by: ["SrcAS"] },
  { label: "Destination AS", by: ["DstAS"] },
  { label: "Services", by: ["Proto", "DstPort"] },
  { label: "Countries", by: ["SrcCountry"] },
  { label: "Interfaces", by: ["ExporterName", "InIfName"] },
];

export function useTalkers(question: () => TalkersQuestion): Question<Top> {
  const talkers = useQuestion<TalkersQuestion & { timezone: string }, Top>(
    () => ({ ...question(), timezone: zone.value }),
    ({ by, filter, measure, plausible, timezone }, signal) => {
      const end = new Date(Date.now() - LAG_MS).toISOString();
      const body = { timezone, leave_out_implausible: plausible, dimensions: [...by], filter, unit: measure, limit: TALKERS, last_seconds: WINDOW_S, end, truncate_v4: 32, truncate_v6: 128 };
      return ask(api.POST("/api/v1/flows/top", { body, signal }));
    },
    { isEmpty: (top) => top.rows.length === 0 },
  );
  usePolling(() => (talkers.loading.value ? undefined : talkers.refresh()), POLL_MS);
  return talkers;
}
