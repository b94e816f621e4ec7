/** Changes to a dashboard that are not saved yet, with a way back. */
import { computed, readonly, shallowRef } from "vue";
import { sameContent, type DashboardContent } from "@/pages/dashboards/model";

const MOST_STEPS = 100;

export function useDraft() {
  const draft = shallowRef<DashboardContent | null>(null);
  const original = shallowRef<DashboardContent | null>(null);
  const past = shallowRef<readonly DashboardContent[]>([]);
  const future = shallowRef<readonly DashboardContent[]>([]);

  function begin(content: DashboardContent): void {
    draft.value = original.value = content;
    past.value = future.value = [];
  }
  function change(differences: Partial<DashboardContent>): void {
    if (!draft.value) return;
    const next = { ...draft.value, ...differences };
    if (sameContent(next, draft.value)) return;
    past.value = [...past.value, draft.value].slice(-MOST_STEPS);
    future.value = [];
    draft.value = next;
  }
  function undo(): void {
    const before = past.value.at(-1);
    if (!before || !draft.value) return;
    future.value = [draft.value, ...future.value];
    past.value = past.value.slice(0, -1);
    draft.value = before;
  }
  function redo(): void {
    const [after, ...rest] = future.value;
    if (!after || !draft.value) return;
    past.value = [...past.value, draft.value];
    future.value = rest;
    draft.value = after;
  }
  function end(): void {
    draft.value = original.value = null;
    past.value = future.value = [];
  }
  return {
    /** Null: nothing is being edited. */
    draft: readonly(draft) as Readonly<typeof draft>,
    dirty: computed(() => draft.value !== null && original.value !== null && !sameContent(draft.value, original.value)),
    canUndo: computed(() => past.value.length > 0),
    canRedo: computed(() => future.value.length > 0),
    begin,
    change,
    undo,
    redo,
    end,
  };
}
