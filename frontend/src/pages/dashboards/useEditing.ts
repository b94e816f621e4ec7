/** A dashboard being edited: what is not saved yet, saving it, and the ways out. */
import { computed, ref, watch, type ComputedRef, type Ref } from "vue";
import { useToasts } from "@/composables/useToasts";
import { contentOf, type Dashboard } from "@/pages/dashboards/model";
import { useDraft } from "@/pages/dashboards/useDraft";
import { useLeaveGuard } from "@/pages/dashboards/useLeaveGuard";

interface Edited {
  id: () => string;
  dashboard: ComputedRef<Dashboard | null>;
  mayChange: ComputedRef<boolean>;
  /** The address says that it is edited. */
  wanted: () => boolean;
  /** Says in the address that it is no more. */
  ended: () => void;
  /** False: somebody else has saved in the meantime. */
  save: (content: ReturnType<typeof contentOf>, force: boolean) => Promise<boolean>;
}

/** Question that stands before the user: see `EditDialogs`. */
export type EditQuestion = "discard" | "overtaken" | "leave" | null;

export function useEditing({ id, dashboard, mayChange, wanted, ended, save: saveTo }: Edited) {
  const { show, fail } = useToasts();
  const edit = useDraft();
  const { draft, dirty } = edit;
  // Back to before the editing is a way out too.
  const guard = useLeaveGuard(dirty, (to, from) => to.path === from.path && to.query["edit"] === from.query["edit"]);
  const saving = ref(false);
  const asked: Ref<EditQuestion> = ref(null);

  watch(
    [dashboard, wanted, mayChange],
    ([found, on, allowed]) => {
      if (!on) edit.end();
      else if (found && allowed && !draft.value) edit.begin(contentOf(found));
    },
    { immediate: true },
  );
  watch(id, edit.end);

  function stop(): void {
    asked.value = null;
    edit.end();
    ended();
  }
  /** Whether it is saved. `force`: even over what somebody else has saved. */
  async function save(force = false): Promise<boolean> {
    asked.value = null;
    if (!draft.value || saving.value) return false;
    saving.value = true;
    try {
      if (await saveTo(contentOf(draft.value), force)) {
        show("Saved.", "good");
        stop();
        return true;
      }
      asked.value = "overtaken";
    } catch (failure) {
      fail(failure);
    } finally {
      saving.value = false;
    }
    return false;
  }
  return {
    ...edit,
    saving,
    question: computed<EditQuestion>(() => (guard.wanted.value ? "leave" : asked.value)),
    save,
    stop,
    /** Stop, after a question if something would be lost. */
    cancel(): void {
      if (dirty.value) asked.value = "discard";
      else stop();
    },
    /** The question is answered with no. */
    stay(): void {
      guard.stay();
      asked.value = null;
    },
    async leave(first: "save" | "discard"): Promise<void> {
      if (first === "save" && !(await save())) {
        guard.stay();
        return;
      }
      edit.end();
      await guard.leave();
    },
  };
}
