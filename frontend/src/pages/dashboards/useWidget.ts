/** The question of a widget on its page, and the answer. */
import { computed, inject, ref, watch, type Ref } from "vue";
import { returns } from "@/api/connection";
import { isUnreachable } from "@/api/problem";
import { useSeenAnswer } from "@/graphs/useSeenAnswer";
import { bothFilters } from "@/pages/dashboards/api";
import { askedBy, type AskingWidget } from "@/pages/dashboards/model";
import { PAGE } from "@/pages/dashboards/page";

export function useWidget(host: Readonly<Ref<HTMLElement | undefined>>, widget: () => AskingWidget) {
  const page = inject(PAGE);
  if (!page) throw new Error("a widget needs a page");
  /** Both filters together; null until the server has put them together. */
  const filter = ref<string | null>(null);
  const refused = ref<unknown>(null);

  watch(
    [() => page.filter(), () => widget().exploration.filter, returns],
    async ([whole, own]) => {
      const current = (): boolean => page.filter() === whole && widget().exploration.filter === own;
      try {
        const both = await bothFilters(whole, own);
        if (!current()) return;
        filter.value = both;
        refused.value = null;
      } catch (error) {
        // A silent server is asked again when it is back; what is shown stays.
        if (current() && !(isUnreachable(error) && filter.value !== null)) refused.value = error;
      }
    },
    { immediate: true },
  );

  const behind = computed(() => askedBy(widget(), page.range(), filter.value ?? widget().exploration.filter, page.plausible()));
  const asked = useSeenAnswer(host, behind, page.turn, () => filter.value !== null && refused.value === null);
  return {
    page,
    /** The exploration that the widget shows. */
    behind,
    ...asked,
    /** For `RangeNotes`: of the answer that is shown. A widget that leaves out by itself goes on doing so. */
    notes: computed(() => {
      const answered = asked.answered.value;
      if (!answered) return null;
      const settled = widget().exploration.plausible && !page.plausible();
      return { answer: answered.answer, leftOut: answered.exploration.plausible, settled, small: true, onLeaveOut: page.leaveOut };
    }),
    error: computed(() => refused.value ?? asked.error.value),
    state: computed(() => (refused.value ? ("error" as const) : asked.state.value)),
  };
}
