/** Copies of dashboards. */
import { contentOf, type Dashboard, type DashboardContent } from "@/pages/dashboards/model";

const MAX_NAME = 100;
const ENDING = " (copy)";

/** One's own copy: shared again only if one says so. */
export function copyOf(dashboard: Dashboard): DashboardContent {
  return { ...contentOf(dashboard), name: dashboard.name.slice(0, MAX_NAME - ENDING.length) + ENDING, shared: false };
}
