import { onScopeDispose, ref, type Ref } from "vue";

/** Whether the window is too narrow for a table: a phone held upright. */
export function useNarrow(): Readonly<Ref<boolean>> {
  const query = globalThis.matchMedia?.("(max-width: 639px)");
  const narrow = ref(query?.matches ?? false);
  const changed = (event: MediaQueryListEvent): void => void (narrow.value = event.matches);
  query?.addEventListener("change", changed);
  onScopeDispose(() => query?.removeEventListener("change", changed));
  return narrow;
}
