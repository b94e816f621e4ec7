/** One dashboard of the server, and what the user may do with it. */
import { computed, shallowRef } from "vue";
import { useQuestion } from "@/composables/useQuestion";
import { useSession } from "@/composables/useSession";
import { listDashboards, saveDashboard } from "@/pages/dashboards/api";
import type { Dashboard, DashboardContent } from "@/pages/dashboards/model";

/** Whether the user may change it: one's own, and shared ones as an editor. */
export function mayChange(dashboard: Pick<Dashboard, "own" | "shared">, mayShare: boolean): boolean {
  return dashboard.shared ? mayShare : dashboard.own;
}

export function useDashboard(id: () => string) {
  const { session } = useSession();
  const saved = shallowRef<Dashboard | null>(null);
  const question = useQuestion(
    () => ({ id: id() }),
    async ({ id: wanted }, signal) => {
      const found = (await listDashboards(signal)).find((one) => one.id === wanted);
      return { id: wanted, found: found ?? null };
    },
  );
  const dashboard = computed(() => {
    const kept = saved.value;
    if (kept?.id === id()) return kept;
    const answer = question.answer.value;
    return answer?.id === id() ? answer.found : null;
  });
  return {
    dashboard,
    /** It is known that there is none. */
    missing: computed(() => question.answer.value?.id === id() && question.answer.value.found === null),
    error: question.error,
    refresh: question.refresh,
    mayChange: computed(() => dashboard.value !== null && mayChange(dashboard.value, session.value?.may.share ?? false)),
    /** Save, unless somebody else has in the meantime (`force`: even then). False: it was not saved. */
    async save(content: DashboardContent, force: boolean): Promise<boolean> {
      const now = force ? null : (await listDashboards()).find((one) => one.id === id());
      if (now && now.updated !== dashboard.value?.updated) return false;
      saved.value = await saveDashboard(id(), content);
      return true;
    },
  };
}
