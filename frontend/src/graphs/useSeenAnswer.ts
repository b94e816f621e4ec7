/** The answer to the exploration of a tile: asked when the tile is first looked at, and again with each turn of its page. */
import { ref, toValue, watch, type MaybeRefOrGetter, type Ref } from "vue";
import { useSeen } from "@/composables/useSeen";
import type { Exploration } from "@/graphs/exploration";
import { useGraphAnswer } from "@/graphs/useGraphAnswer";

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
