/** Rates of now. Of all flows the collector knows them; of a part of them the store is asked for the last minute. */
import { computed, shallowRef, watch } from "vue";
import { api, ask } from "@/api/client";
import { usePolling } from "@/composables/usePolling";
import { useQuestion, type Question } from "@/composables/useQuestion";
import { useSession } from "@/composables/useSession";
import { topOf } from "@/pages/overview/ranking";
import { summarise, type ExporterView } from "@/pages/overview/exporters";

export interface Rates {
  bits: number;
  packets: number;
  flows: number;
}

export interface LiveFigures {
  now: Rates;
  /** The latest last. */
  course: readonly Rates[];
}

const WINDOW_S = 60;
/** What was received in the last seconds is not stored yet. */
const LAG_S = 10;
const POLL_MS = 10_000;
const MOST = 120;

/** Which flows are meant. */
interface Wanted {
  filter: string;
  plausible: boolean;
}

async function storedRates({ filter, plausible }: Wanted, signal: AbortSignal): Promise<Rates> {
  const end = new Date(Date.now() - LAG_S * 1000).toISOString();
  const body = topOf({ dimensions: ["Proto"], limit: 1, end, last_seconds: WINDOW_S, filter, leave_out_implausible: plausible });
  const { total } = await ask(api.POST("/api/v1/flows/top", { body, signal }));
  return { bits: (total.bytes * 8) / WINDOW_S, packets: total.packets / WINDOW_S, flows: total.flows / WINDOW_S };
}

export function useLiveFigures(wanted: () => Wanted, exporters: Question<ExporterView[]>) {
  const { mayOperate } = useSession();
  const all = computed(() => mayOperate.value && wanted().filter.trim() === "" && !wanted().plausible);
  const stored = useQuestion(() => {
    const { filter, plausible } = wanted();
    return all.value ? null : { filter, plausible };
  }, storedRates);
  usePolling(stored.refresh, () => (all.value ? 0 : POLL_MS));

  const course = shallowRef<readonly Rates[]>([]);
  watch([() => wanted().filter, () => wanted().plausible], () => (course.value = []), { flush: "sync" });
  watch(
    () => (all.value ? exporters.answer.value && summarise(exporters.answer.value) : stored.answer.value),
    (rates) => {
      if (rates) course.value = [...course.value, rates].slice(-MOST);
    },
    { immediate: true },
  );
  return {
    figures: computed<LiveFigures | null>(() => {
      const now = course.value.at(-1);
      return now ? { now, course: course.value } : null;
    }),
    /** When they were told, if newer ones could not be had. */
    old: computed(() => (all.value ? exporters.old.value : stored.old.value)),
    /** There are none, and they are not under way: the tiles say why. */
    failed: computed(() => (all.value ? exporters.state.value : stored.state.value) === "error"),
  };
}
