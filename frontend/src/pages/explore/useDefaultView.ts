/** Explore without an address begins with the user's own default, if they have saved one. */
import { ref, watch } from "vue";
import { useRoute } from "vue-router";
import type { Exploration } from "@/graphs/exploration";
import { DEFAULT_VIEW } from "@/pages/explore/defaultView";
import { listViews } from "@/pages/explore/saved";

/** Longest wait before the usual exploration is shown instead. */
const PATIENCE_MS = 1500;

async function defaultView(): Promise<Exploration | null> {
  try {
    return (await listViews()).find((view) => view.own && view.name === DEFAULT_VIEW)?.exploration ?? null;
  } catch {
    return null;
  }
}

/** `settled`: it is known what to show. */
export function useDefaultView(show: (exploration: Exploration) => void) {
  const route = useRoute();
  const settled = ref(true);

  watch(
    () => route.name === "explore" && Object.keys(route.query).length === 0,
    async (bare) => {
      if (!bare) {
        settled.value = true;
        return;
      }
      settled.value = false;
      const patience = new Promise<null>((resolve) => setTimeout(() => resolve(null), PATIENCE_MS));
      const found = await Promise.race([defaultView(), patience]);
      // In the meantime the user may have chosen something.
      if (!settled.value && found) show(found);
      settled.value = true;
    },
    { immediate: true },
  );
  return { settled };
}
