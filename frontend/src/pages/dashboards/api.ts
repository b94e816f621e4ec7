/** Dashboards on the server. */
import { api, ask } from "@/api/client";
import { checkFilter } from "@/api/filters";
import { readDashboard, storedWidgets, type Dashboard, type DashboardContent } from "@/pages/dashboards/model";

function bodyOf(content: DashboardContent) {
  const { name, description, filter, shared } = content;
  return { name, description, filter, shared, widgets: storedWidgets(content) };
}

/** One's own, then what others share. */
export async function listDashboards(signal?: AbortSignal): Promise<Dashboard[]> {
  return (await ask(api.GET("/api/v1/dashboards", { signal: signal ?? null }))).map(readDashboard);
}

export async function addDashboard(content: DashboardContent): Promise<Dashboard> {
  return readDashboard(await ask(api.POST("/api/v1/dashboards", { body: bodyOf(content) })));
}

export async function saveDashboard(id: string, content: DashboardContent): Promise<Dashboard> {
  return readDashboard(await ask(api.PATCH("/api/v1/dashboards/{id}", { params: { path: { id } }, body: bodyOf(content) })));
}

export async function removeDashboard(id: string): Promise<void> {
  await ask(api.DELETE("/api/v1/dashboards/{id}", { params: { path: { id } } }));
}

const canonical = new Map<string, Promise<string>>();
const MOST_KEPT = 200;

/** A filter without comments, as the server writes it; empty if it lets everything through. */
function canonicalText(text: string): Promise<string> {
  if (!text.trim()) return Promise.resolve("");
  const known = canonical.get(text);
  if (known) return known;
  const asked = checkFilter(text).then((check) => {
    if (check.ok) return check.canonical;
    throw new Error(check.error?.message ?? "The filter cannot be understood.");
  });
  if (canonical.size >= MOST_KEPT) canonical.clear();
  canonical.set(text, asked);
  // A failure may be of the network: it is not kept.
  asked.catch(() => canonical.delete(text));
  return asked;
}

/** Both filters together. The server writes each out first, so that no comment swallows what follows. */
export async function bothFilters(a: string, b: string): Promise<string> {
  if (!a.trim()) return b;
  if (!b.trim()) return a;
  const [first, second] = await Promise.all([canonicalText(a), canonicalText(b)]);
  return first && second ? `(${first}) AND (${second})` : first || second;
}
