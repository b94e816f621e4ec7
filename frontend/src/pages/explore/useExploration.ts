/** The exploration in the address of the page, and the ways to change it. Each change is an entry of the history. */
import { computed, watch } from "vue";
import { useToasts } from "@/composables/useToasts";
import { useUrlState } from "@/composables/useUrlState";
import { explorationQuery, parseExploration, sameExploration, type Exploration } from "@/graphs/exploration";
import { isPercentage } from "@/graphs/kinds";
import type { TimeRange } from "@/time/range";

/** Ranges that can be returned to. */
const MOST_ZOOMS = 50;

/** What makes sense together: the load of several interfaces does not add up, so no Sankey is made of it. */
export function consistent(e: Exploration): Exploration {
  return e.kind === "sankey" && isPercentage(e.unit) ? { ...e, unit: "l2-bits/s" } : e;
}

export function useExploration() {
  const { state, update } = useUrlState<Exploration>({ parse: parseExploration, serialise: explorationQuery });
  const { show } = useToasts();
  const zooms: TimeRange[] = [];

  watch(
    state,
    (e) => {
      const sensible = consistent(e);
      if (sameExploration(e, sensible)) return;
      show("A Sankey cannot show percentages of interfaces, which do not add up: it shows Ethernet bit/s now.");
      update(sensible, { replace: true });
    },
    { immediate: true },
  );

  const range = computed<TimeRange>({
    get: () => ({ from: state.value.from, to: state.value.to }),
    set: ({ from, to }) => update({ from, to }),
  });

  return {
    exploration: state,
    range,
    change: (differences: Partial<Exploration>): void => update(differences),
    replace: (e: Exploration): void => update(e, { replace: true }),
    /** Look closer; `zoomOut` returns. */
    zoomIn(next: TimeRange): void {
      zooms.push(range.value);
      if (zooms.length > MOST_ZOOMS) zooms.shift();
      range.value = next;
    },
    /** The range before the last closer look; null if there was none. */
    rangeBefore: (): TimeRange | null => zooms.pop() ?? null,
  };
}
