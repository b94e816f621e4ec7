import { readonly, ref, type Ref } from "vue";
import { usePolling } from "@/composables/usePolling";

/** The time now in Unix milliseconds, moved on every few seconds. */
export function useNow(milliseconds = 10_000): Readonly<Ref<number>> {
  const now = ref(Date.now());
  usePolling(() => (now.value = Date.now()), milliseconds);
  return readonly(now);
}
