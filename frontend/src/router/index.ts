import { createRouter, createWebHistory } from "vue-router";
import { silentSince } from "@/api/connection";
import { answersStill, awaited, ChunkError, loadAnew, untilAnswers } from "@/router/chunks";
import { routes } from "@/router/pages";
import { useSession } from "@/composables/useSession";

export const router = createRouter({
  history: createWebHistory(),
  routes,
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? undefined : { top: 0 }),
});

router.beforeEach(async (to) => {
  const session = useSession();
  // While the server is silent nobody can say who it is; the page that is chosen need not wait for that.
  if (silentSince.value === null || to.meta.bare) await session.load();
  if (session.needsLogin.value && !to.meta.bare) return { name: "login", query: { next: to.fullPath } };
  return true;
});

router.afterEach((to, _, failure) => {
  if (failure) return;
  awaited.value = null;
  document.title = `${to.meta.title} · Millrace`;
});

// A page that does not come leaves the one that is shown as it is, and comes when the server answers again.
router.onError(async (error, to) => {
  if (!(error instanceof ChunkError)) return;
  awaited.value = to;
  if (await answersStill()) {
    // It answers, and has the page no more: it was updated.
    loadAnew(to.fullPath);
    return;
  }
  await untilAnswers();
  if (awaited.value === to) await router.push(to.fullPath).catch(() => undefined);
});
