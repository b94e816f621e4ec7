/** Rows of one height, of which only those in sight (and a few around) are in the document. */
import { computed, onScopeDispose, ref, watch, type ComputedRef, type Ref } from "vue";

export interface RowWindow {
  /** First row in the document, and the one after the last. */
  first: number;
  end: number;
}

const AROUND = 12;
const ASSUMED_HEIGHT = 800;

/** Rows that a place of scrolling shows. */
export function windowOf(count: number, rowHeight: number, scrolled: number, height: number): RowWindow {
  const first = Math.max(0, Math.min(Math.floor(scrolled / rowHeight) - AROUND, count));
  const end = Math.min(count, Math.ceil((scrolled + height) / rowHeight) + AROUND);
  return { first, end: Math.max(first, end) };
}

export function useRowWindow(
  scroller: Readonly<Ref<HTMLElement | null | undefined>>,
  count: () => number,
  rowHeight: () => number,
): { window: ComputedRef<RowWindow>; reveal: (index: number, below: number) => void } {
  const scrolled = ref(0);
  const height = ref(ASSUMED_HEIGHT);
  let observer: ResizeObserver | undefined;

  function read(): void {
    scrolled.value = scroller.value?.scrollTop ?? 0;
  }
  watch(
    scroller,
    (element, before) => {
      before?.removeEventListener("scroll", read);
      observer?.disconnect();
      if (!element) return;
      element.addEventListener("scroll", read, { passive: true });
      observer = new ResizeObserver(() => (height.value = element.clientHeight || ASSUMED_HEIGHT));
      observer.observe(element);
    },
    { flush: "post" },
  );
  onScopeDispose(() => {
    scroller.value?.removeEventListener("scroll", read);
    observer?.disconnect();
  });

  return {
    window: computed(() => windowOf(count(), rowHeight(), scrolled.value, height.value)),
    /** Scroll so far that a row is in sight; `below`: pixels at the top that a header covers. */
    reveal(index, below) {
      const element = scroller.value;
      if (!element) return;
      const top = index * rowHeight();
      const bottom = top + rowHeight() + below;
      if (top < element.scrollTop) element.scrollTop = top;
      else if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom - element.clientHeight;
      read();
    },
  };
}
