/** Ask before a page with unsaved changes is left. */
import { onScopeDispose, readonly, shallowRef, type Ref } from "vue";
import { useRouter, type RouteLocationNormalized } from "vue-router";

/** `harmless`: which ways lose nothing. */
export function useLeaveGuard(
  unsaved: Readonly<Ref<boolean>>,
  harmless: (to: RouteLocationNormalized, from: RouteLocationNormalized) => boolean,
) {
  const router = useRouter();
  const wanted = shallowRef<RouteLocationNormalized | null>(null);
  let free = false;

  const remove = router.beforeEach((to, from) => {
    if (free || !unsaved.value || harmless(to, from)) return true;
    wanted.value = to;
    return false;
  });
  function unload(event: BeforeUnloadEvent): void {
    if (unsaved.value) event.preventDefault();
  }
  addEventListener("beforeunload", unload);
  onScopeDispose(() => {
    remove();
    removeEventListener("beforeunload", unload);
  });

  return {
    /** Where the user wants to go; null: nowhere. */
    wanted: readonly(wanted),
    stay: (): void => {
      wanted.value = null;
    },
    async leave(): Promise<void> {
      const to = wanted.value;
      wanted.value = null;
      if (!to) return;
      free = true;
      try {
        await router.push(to.fullPath);
      } finally {
        free = false;
      }
    },
  };
}
