/** Move and size widgets with the pointer. The others make room while it is dragged; Escape puts all back. */
import { onScopeDispose, shallowRef } from "vue";
import { LEAST, type Widget } from "@/pages/dashboards/model";
import { COLUMNS, put, type Place } from "@/pages/dashboards/layout";

export interface Drag {
  id: string;
  what: "move" | "size";
  /** From where it was, in pixels. */
  dx: number;
  dy: number;
  /** Where it was. */
  from: Place;
}

/** Distance from the edge of the window at which the page scrolls along, in pixels. */
const EDGE = 56;
const SCROLL = 14;

export function useGridDrag(
  /** Size of a cell with its gap, in pixels. */
  cell: () => { width: number; height: number },
  widgets: () => readonly Widget[],
  done: (widgets: readonly Widget[]) => void,
) {
  const drag = shallowRef<Drag | null>(null);
  /** As it will be when it is let go. */
  const preview = shallowRef<readonly Widget[] | null>(null);
  let origin = { x: 0, y: 0, scroll: 0 };
  let last = { x: 0, y: 0 };
  let scrolling = 0;

  function follow(): void {
    const now = drag.value;
    if (!now) return;
    const dx = last.x - origin.x;
    const dy = last.y - origin.y + scrollY - origin.scroll;
    drag.value = { ...now, dx, dy };
    const widget = widgets().find(({ id }) => id === now.id);
    if (!widget) return;
    const { width, height } = cell();
    const [columns, rows] = [Math.round(dx / width), Math.round(dy / height)];
    const { from } = now;
    const wanted =
      now.what === "move"
        ? { ...from, x: from.x + columns, y: Math.max(0, from.y + rows) }
        : { ...from, w: Math.min(from.w + columns, COLUMNS - from.x), h: from.h + rows };
    preview.value = put(widgets(), now.id, wanted, LEAST[widget.kind]);
  }
  function scrollAlong(): void {
    const by = last.y > innerHeight - EDGE ? SCROLL : last.y < EDGE * 2 ? -SCROLL : 0;
    if (by && drag.value) {
      scrollBy(0, by);
      follow();
    }
    scrolling = requestAnimationFrame(scrollAlong);
  }
  function moved(event: PointerEvent): void {
    last = { x: event.clientX, y: event.clientY };
    follow();
  }
  function stop(keep: boolean): void {
    cancelAnimationFrame(scrolling);
    removeEventListener("pointermove", moved);
    removeEventListener("pointerup", released);
    removeEventListener("pointercancel", cancelled);
    removeEventListener("keydown", key, true);
    const result = preview.value;
    drag.value = preview.value = null;
    if (keep && result) done(result);
  }
  const released = (): void => stop(true);
  const cancelled = (): void => stop(false);
  function key(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    stop(false);
  }
  function begin(event: PointerEvent, id: string, what: Drag["what"]): void {
    const widget = widgets().find((one) => one.id === id);
    if (!widget || event.button !== 0 || drag.value) return;
    origin = { x: event.clientX, y: event.clientY, scroll: scrollY };
    last = { x: event.clientX, y: event.clientY };
    drag.value = { id, what, dx: 0, dy: 0, from: widget.place };
    addEventListener("pointermove", moved);
    addEventListener("pointerup", released);
    addEventListener("pointercancel", cancelled);
    addEventListener("keydown", key, true);
    scrolling = requestAnimationFrame(scrollAlong);
  }
  onScopeDispose(() => stop(false));
  return { drag, preview, begin };
}
