/** Light, dark, or what the system says; remembered in this browser. */
import { computed, readonly, ref } from "vue";

export type Theme = "system" | "light" | "dark";

const KEY = "millrace.theme";
const THEMES: readonly Theme[] = ["system", "light", "dark"];

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === value) ?? "system";
  } catch {
    return "system";
  }
}

const theme = ref<Theme>(stored());
const system = globalThis.matchMedia?.("(prefers-color-scheme: dark)");
const systemDark = ref(system?.matches ?? false);
system?.addEventListener("change", (event) => (systemDark.value = event.matches));

function set(value: Theme): void {
  // The document first: who follows `theme` may measure colours at once.
  if (value === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = value;
  theme.value = value;
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // Storage is refused: it holds until the page goes.
  }
}

/** Theme of the console; one for all. */
export function useTheme() {
  return {
    theme: readonly(theme),
    isDark: computed(() => (theme.value === "system" ? systemDark.value : theme.value === "dark")),
    set,
    /** The one after this: system, light, dark. */
    next: () => set(THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "system"),
  };
}
