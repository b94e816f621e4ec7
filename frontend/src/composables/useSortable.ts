/** Let the items of a list be dragged into another order (mouse and touch). */
import Sortable from "sortablejs";
import { onScopeDispose, watch, type Ref } from "vue";

/**
 * Make the children of `list` that match `draggable` sortable; `moved` is told the old and the new place. The list
 * itself is left as it was: the caller changes its data and Vue draws it.
 */
export function useSortable(
  list: Readonly<Ref<HTMLElement | null | undefined>>,
  moved: (from: number, to: number) => void,
  options: { draggable: string; handle?: string; disabled?: () => boolean },
): void {
  let sortable: Sortable | undefined;

  watch(
    list,
    (element) => {
      sortable?.destroy();
      sortable = element
        ? Sortable.create(element, {
            draggable: options.draggable,
            ...(options.handle ? { handle: options.handle } : {}),
            animation: 120,
            // A finger that scrolls is not a finger that drags.
            delay: 120,
            delayOnTouchOnly: true,
            ghostClass: "opacity-40",
            onEnd: ({ item, oldDraggableIndex: from, newDraggableIndex: to, oldIndex }) => {
              if (from === undefined || to === undefined || from === to) return;
              // Put it back: the order of the elements belongs to Vue.
              const children = [...element.children].filter((child) => child !== item);
              element.insertBefore(item, children[oldIndex ?? from] ?? null);
              if (!options.disabled?.()) moved(from, to);
            },
          })
        : undefined;
    },
    { immediate: true, flush: "post" },
  );
  onScopeDispose(() => sortable?.destroy());
}

/** A copy of a list with one item at another place. */
export function moveItem<T>(items: readonly T[], from: number, to: number): T[] {
  const copy = [...items];
  const [item] = copy.splice(from, 1);
  if (item !== undefined) copy.splice(Math.max(0, Math.min(to, copy.length)), 0, item);
  return copy;
}
