/** What the command palette finds. */
import { computed, onScopeDispose, shallowRef } from "vue";
import { useRouter, type RouteLocationRaw } from "vue-router";
import { api, ask } from "@/api/client";
import type { IconName } from "@/components/icons";
import { useTheme } from "@/composables/useTheme";
import { exploration, exploreLocation, storedExploration } from "@/graphs/exploration";
import { useNavigation } from "@/layout/useNavigation";

export interface Command {
  id: string;
  label: string;
  kind: string;
  icon: IconName;
  run: () => void;
}

const MOST = 30;

/** Commands whose label holds every word, those that begin with the text first. */
export function matching(commands: readonly Command[], text: string): Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = commands.filter((command) => {
    const label = `${command.label} ${command.kind}`.toLowerCase();
    return words.every((word) => label.includes(word));
  });
  const first = words[0] ?? "";
  const rank = (command: Command): number => (command.label.toLowerCase().startsWith(first) ? 0 : 1);
  return found.sort((a, b) => rank(a) - rank(b)).slice(0, MOST);
}

export function useCommands() {
  const router = useRouter();
  const theme = useTheme();
  const navigation = useNavigation();
  const loaded = shallowRef<Command[]>([]);

  const fixed = computed<Command[]>(() => [
    ...[...navigation.value, { name: "settings", label: "Settings", icon: "settings" as const }].map((entry) => ({
      id: `page:${entry.name}`,
      label: entry.label,
      kind: "Page",
      icon: entry.icon,
      run: () => void router.push({ name: entry.name }),
    })),
    ...(["system", "light", "dark"] as const).map((name) => ({
      id: `theme:${name}`,
      label: `Theme: ${name}`,
      kind: "Theme",
      icon: ({ system: "system", light: "sun", dark: "moon" } as const)[name],
      run: () => theme.set(name),
    })),
  ]);
  const go = (id: string, label: string, kind: string, icon: IconName, to: RouteLocationRaw): Command => ({
    id,
    label,
    kind,
    icon,
    run: () => void router.push(to),
  });

  async function load(signal: AbortSignal): Promise<void> {
    // What cannot be had is not offered; the pages themselves say why.
    const [views, dashboards, filters] = await Promise.all([
      ask(api.GET("/api/v1/views", { signal })).catch(() => []),
      ask(api.GET("/api/v1/dashboards", { signal })).catch(() => []),
      ask(api.GET("/api/v1/filters", { signal })).catch(() => []),
    ]);
    loaded.value = [
      ...views.map((view) =>
        go(`view:${view.id}`, view.name, "View", "chart", exploreLocation(storedExploration(view.state))),
      ),
      ...dashboards.map((one) =>
        go(`dashboard:${one.id}`, one.name, "Dashboard", "tiles", { name: "dashboard", params: { id: one.id } }),
      ),
      ...filters.map((one) =>
        go(`filter:${one.id}`, one.name, "Filter", "filter", exploreLocation(exploration({ filter: one.text }))),
      ),
    ];
  }

  const controller = new AbortController();
  void load(controller.signal);
  onScopeDispose(() => controller.abort());
  return { search: (text: string): Command[] => matching([...fixed.value, ...loaded.value], text) };
}
