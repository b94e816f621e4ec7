/** Interfaces that flows of each exporter named in the last hour. */
import { computed, type ComputedRef } from "vue";
import { api, ask } from "@/api/client";
import { usePolling } from "@/composables/usePolling";
import { useQuestion } from "@/composables/useQuestion";
import { useSession } from "@/composables/useSession";
import { zone } from "@/time/zone";

const LOOKED_AT_SECONDS = 3600;
const POLL_MS = 60_000;

/** Their number by the address of the exporter. */
export function useInterfaceCounts(): ComputedRef<ReadonlyMap<string, number>> {
  const { mayOperate } = useSession();
  const { answer, refresh } = useQuestion(
    () => (mayOperate.value ? { last_seconds: LOOKED_AT_SECONDS, filter: "", timezone: zone.value } : null),
    (body, signal) => ask(api.POST("/api/v1/flows/exporters", { body, signal })),
  );
  usePolling(refresh, () => (mayOperate.value ? POLL_MS : 0));
  return computed(
    () =>
      new Map(
        (answer.value ?? []).map(({ address, interfaces = [] }) => [address, interfaces.filter(({ index }) => index > 0).length]),
      ),
  );
}
