import { createRouter, createWebHistory } from "vue-router";
import { routes } from "@/router/pages";
import { useSession } from "@/composables/useSession";

export const router = createRouter({
  history: createWebHistory(),
  routes,
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? undefined : { top: 0 }),
});

router.beforeEach(async (to) => {
  const session = useSession();
  await session.load();
  if (session.needsLogin.value && !to.meta.bare) return { name: "login", query: { next: to.fullPath } };
  return true;
});

router.afterEach((to) => {
  document.title = `${to.meta.title} · Millrace`;
});
