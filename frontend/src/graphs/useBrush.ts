/** Choose a range of time by dragging across a graph: mouse, pen, or a finger that moves sideways. */
import { onScopeDispose, shallowRef, type Ref } from "vue";
import { rangeBetween, type TimeScale } from "@/graphs/built";

export interface BrushBox {
  left: number;
  width: number;
  top: number;
  height: number;
}

/** Pixels below which a drag is a click. */
const LEAST = 6;

/** Places on the horizontal axis (Unix milliseconds or buckets) of pixels. */
export interface BrushAxis {
  /** Where a drag begins; null outside of the drawing. With several drawings it stays in that one. */
  begin: (x: number, y: number) => number | null;
  /** Where it has come to; null if that is no place of the axis. */
  reach: (x: number, y: number) => number | null;
}

/** `done` is told the range in Unix milliseconds. */
export function useBrush(
  host: Ref<HTMLElement | undefined>,
  scale: () => TimeScale | null,
  axis: BrushAxis,
  done: (start: number, end: number) => void,
) {
  const box = shallowRef<BrushBox | null>(null);
  let first: { x: number; y: number; at: number; id: number } | null = null;
  let justBrushed = false;

  function place(event: PointerEvent): { x: number; y: number } {
    const rect = host.value?.getBoundingClientRect();
    return { x: event.clientX - (rect?.left ?? 0), y: event.clientY - (rect?.top ?? 0) };
  }
  function down(event: PointerEvent): void {
    justBrushed = false;
    if (event.button !== 0 || !scale()) return;
    const { x, y } = place(event);
    const at = axis.begin(x, y);
    if (at === null) return;
    first = { x, y, at, id: event.pointerId };
    addEventListener("keydown", escape);
  }
  function move(event: PointerEvent): void {
    if (event.pointerId !== first?.id) return;
    const { x } = place(event);
    if (!box.value && Math.abs(x - first.x) < LEAST) return;
    if (!box.value) host.value?.setPointerCapture(event.pointerId);
    const { width, height } = scale()?.cell ?? { width: host.value?.clientWidth ?? 0, height: host.value?.clientHeight ?? 0 };
    const edge = width > 0 ? Math.floor(first.x / width) * width : 0;
    const to = Math.min(Math.max(x, edge), edge + width);
    box.value = {
      left: Math.min(to, first.x),
      width: Math.abs(to - first.x),
      top: height > 0 ? Math.floor(first.y / height) * height : 0,
      height,
    };
  }
  function up(event: PointerEvent): void {
    if (event.pointerId !== first?.id) return;
    const from = first;
    const brushed = box.value !== null;
    cancel();
    const current = scale();
    if (!brushed || !current) return;
    justBrushed = true;
    const { x } = place(event);
    // Dragged out of the drawing: up to its edge.
    const edge = x > from.x ? Number.MAX_SAFE_INTEGER : 0;
    const range = rangeBetween(current, from.at, axis.reach(x, from.y) ?? edge);
    if (range) done(...range);
  }
  function cancel(): void {
    first = null;
    box.value = null;
    removeEventListener("keydown", escape);
  }
  function escape(event: KeyboardEvent): void {
    if (event.key === "Escape") cancel();
  }
  onScopeDispose(cancel);

  return {
    box,
    /** Whether the click that comes now only ends a drag. */
    endsDrag: (): boolean => justBrushed,
    on: { pointerdown: down, pointermove: move, pointerup: up, pointercancel: cancel },
  };
}
