/** Whether a part of a page is looked at, so that what nobody sees is not asked. */
import { onScopeDispose, readonly, ref, watch, type Ref } from "vue";

/** Asked a little before it is scrolled to. */
const MARGIN = "200px";

/** `visible`: it is in the window now; `seen`: it is, or was. Without the browser's help both are always true. */
export function useSeen(element: Readonly<Ref<HTMLElement | null | undefined>>) {
  const helped = typeof IntersectionObserver !== "undefined";
  const visible = ref(!helped);
  const seen = ref(!helped);
  let observer: IntersectionObserver | undefined;

  watch(
    element,
    (target) => {
      observer?.disconnect();
      if (!helped || !target) return;
      observer = new IntersectionObserver(
        (entries) => {
          visible.value = entries.at(-1)?.isIntersecting ?? false;
          seen.value ||= visible.value;
        },
        { rootMargin: MARGIN },
      );
      observer.observe(target);
    },
    { immediate: true, flush: "post" },
  );
  onScopeDispose(() => observer?.disconnect());
  return { visible: readonly(visible), seen: readonly(seen) };
}
