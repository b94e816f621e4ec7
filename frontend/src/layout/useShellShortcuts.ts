/** Keys that work on every page. */
import { ref } from "vue";
import { useRouter } from "vue-router";
import { useShortcuts } from "@/composables/useShortcuts";
import { useTheme } from "@/composables/useTheme";
import { navigation } from "@/router/pages";

export function useShellShortcuts() {
  const paletteOpen = ref(false);
  const helpOpen = ref(false);
  const router = useRouter();
  const { next } = useTheme();

  useShortcuts([
    {
      keys: "ctrl+k",
      description: "Search pages, views and filters",
      run: () => (paletteOpen.value = true),
      whileTyping: true,
    },
    { keys: "?", description: "Show these shortcuts", run: () => (helpOpen.value = true) },
    ...navigation.map((entry) => ({
      keys: `g ${entry.key}`,
      description: `Go to ${entry.label}`,
      run: () => void router.push({ name: entry.name }),
    })),
    { keys: "g s", description: "Go to Settings", run: () => void router.push({ name: "settings" }) },
    { keys: "t", description: "Change the theme", run: next },
  ]);
  return { paletteOpen, helpOpen };
}
