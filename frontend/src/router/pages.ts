/** Routes and navigation in one table: a page is a row here and a folder in `src/pages`. */
import type { RouteRecordRaw } from "vue-router";
import type { IconName } from "@/components/icons";
import { lazy } from "@/router/chunks";

declare module "vue-router" {
  interface RouteMeta {
    /** What the header and the window say. */
    title: string;
    /** Entry of the navigation that is marked; the route's own name if absent. */
    section?: string;
    /** Shown without the shell and without a login. */
    bare?: boolean;
  }
}

export const routes: RouteRecordRaw[] = [
  { path: "/", name: "overview", component: lazy(() => import("@/pages/overview/OverviewPage.vue")), meta: { title: "Overview" } },
  { path: "/explore", name: "explore", component: lazy(() => import("@/pages/explore/ExplorePage.vue")), meta: { title: "Explore" } },
  { path: "/flows", name: "flows", component: lazy(() => import("@/pages/flows/FlowsPage.vue")), meta: { title: "Flows" } },
  { path: "/live", name: "live", component: lazy(() => import("@/pages/live/LivePage.vue")), meta: { title: "Live" } },
  {
    path: "/exporters",
    name: "exporters",
    component: lazy(() => import("@/pages/exporters/ExportersPage.vue")),
    meta: { title: "Exporters" },
  },
  {
    path: "/exporters/:address",
    name: "exporter",
    component: lazy(() => import("@/pages/exporters/ExporterPage.vue")),
    props: true,
    meta: { title: "Exporter", section: "exporters" },
  },
  {
    path: "/dashboards",
    name: "dashboards",
    component: lazy(() => import("@/pages/dashboards/DashboardsPage.vue")),
    meta: { title: "Dashboards" },
  },
  {
    path: "/dashboards/:id",
    name: "dashboard",
    component: lazy(() => import("@/pages/dashboards/DashboardPage.vue")),
    props: true,
    meta: { title: "Dashboard", section: "dashboards" },
  },
  {
    path: "/docs/:path(.*)*",
    name: "docs",
    component: lazy(() => import("@/pages/docs/DocsPage.vue")),
    meta: { title: "Documentation" },
  },
  {
    path: "/settings/:section?",
    name: "settings",
    component: lazy(() => import("@/pages/settings/SettingsPage.vue")),
    props: true,
    meta: { title: "Settings" },
  },
  {
    path: "/login",
    name: "login",
    component: lazy(() => import("@/pages/login/LoginPage.vue")),
    meta: { title: "Log in", bare: true },
  },
  {
    path: "/s/:id",
    name: "short",
    component: lazy(() => import("@/pages/short/ShortPage.vue")),
    props: true,
    meta: { title: "Short link" },
  },
  {
    path: "/:path(.*)*",
    name: "not-found",
    component: lazy(() => import("@/pages/missing/MissingPage.vue")),
    meta: { title: "Not found" },
  },
];

export interface NavigationEntry {
  name: string;
  label: string;
  icon: IconName;
  /** Pressed after `g`. */
  key: string;
  /** Not for those who may see only a part of the flows. */
  operators?: boolean;
}

export const navigation: readonly NavigationEntry[] = [
  { name: "overview", label: "Overview", icon: "gauge", key: "o" },
  { name: "explore", label: "Explore", icon: "chart", key: "e" },
  { name: "flows", label: "Flows", icon: "list", key: "f" },
  { name: "live", label: "Live", icon: "pulse", key: "l" },
  { name: "exporters", label: "Exporters", icon: "router", key: "x", operators: true },
  { name: "dashboards", label: "Dashboards", icon: "tiles", key: "d" },
  { name: "docs", label: "Documentation", icon: "book", key: "h" },
];
