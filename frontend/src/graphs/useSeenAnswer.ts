/** The answer to the exploration of a tile: asked when the tile is first looked at, and again with each turn of its page. */
import { ref, toValue, watch, type MaybeRefOrGetter, type Ref } from "vue";
import { usePolling } from "@/composables/usePolling";
import { useSeen } from "@/composables/useSeen";
import type { Exploration } from "@/graphs/exploration";
import { useGraphAnswer } from "@/graphs/useGraphAnswer";
import { endsNow } from "@/time/range";

const EMPTY_POLL_MS = 5000;
const TRIES = 24;

export function useSeenAnswer(
  element: Readonly<Ref<HTMLElement | null | undefined>>,
  exploration: MaybeRefOrGetter<Exploration>,
  /** A number that grows when the page asks again. */
  turn: MaybeRefOrGetter<number>,
  /** Whether to ask at all. */
  wanted: MaybeRefOrGetter<boolean> = true,
) {
  const { visible, seen } = useSeen(element);
  const asked = useGraphAnswer(exploration, { active: () => seen.value && toValue(wanted) });
  const missed = ref(false);
  /** Where nothing is yet, first flows may be on their way to the store: asked again soon, for two minutes. */
  const tries = ref(0);
  watch(asked.state, (state) => {
    if (state === "ready") tries.value = 0;
  });
  usePolling(
    () => {
      if (asked.state.value !== "empty" || !visible.value) return;
      tries.value++;
      void asked.refresh();
    },
    () => (asked.state.value === "error" || !endsNow(toValue(exploration)) || tries.value >= TRIES ? 0 : EMPTY_POLL_MS),
  );

  watch(
    () => toValue(turn),
    () => (missed.value = true),
  );
  watch([missed, visible], () => {
    if (!missed.value || !visible.value) return;
    missed.value = false;
    void asked.refresh();
  });
  return asked;
}
