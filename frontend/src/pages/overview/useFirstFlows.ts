/** Whether anything was ever received, and what the collector says of it as long as not. */
import { computed, ref, shallowRef, watch } from "vue";
import { api, ask } from "@/api/client";
import { usePolling } from "@/composables/usePolling";
import type { Question } from "@/composables/useQuestion";
import { useSession } from "@/composables/useSession";
import { topOf } from "@/pages/overview/ranking";
import { collectorStatus, type CollectorStatus } from "@/pages/overview/collector";
import type { ExporterView } from "@/pages/overview/exporters";

const POLL_MS = 3000;

export function useFirstFlows(exporters: Question<ExporterView[]>) {
  const { mayOperate } = useSession();
  const status = shallowRef<CollectorStatus | null>(null);
  /** Flows of before the start are in the store. */
  const stored = ref<boolean | null>(null);
  /** Nobody has been heard since the start: there may be nothing at all. */
  const quiet = computed(() => mayOperate.value && exporters.answer.value?.length === 0);
  /** The program makes what is to be shown (the demo its history): what is stored of it so far is no answer. */
  const busy = computed(() => status.value?.activity != null);
  const waiting = computed(() => quiet.value && (busy.value || (stored.value === false && (status.value?.flows ?? 0) === 0)));
  const looking = computed(() => quiet.value && (busy.value || stored.value !== true));

  async function look(): Promise<void> {
    if (!looking.value) return;
    try {
      const body = topOf({ dimensions: ["ExporterAddress"], limit: 1, last_seconds: LONG_S });
      status.value = collectorStatus(await ask(api.GET("/api/v1/status")));
      stored.value = (await ask(api.POST("/api/v1/flows/top", { body }))).rows.length > 0;
    } catch {
      // What is known stays so until the server says otherwise.
    }
  }
  watch(quiet, look, { immediate: true });
  usePolling(look, () => (looking.value ? POLL_MS : 0));
  return { waiting, status };
}

/** A store that holds nothing of a year holds nothing. */
const LONG_S = 366 * 86_400;
