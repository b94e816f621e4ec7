/** Colours that charts draw with; they cannot read style sheets themselves. */
import { computed, type ComputedRef } from "vue";
import { useTheme } from "@/composables/useTheme";
import { RAMP_DARK, RAMP_LIGHT, SERIES_DARK, SERIES_LIGHT } from "@/theme/palette";

export interface ChartColors {
  ink: string;
  ink2: string;
  ink3: string;
  grid: string;
  line: string;
  surface: string;
  raised: string;
  accent: string;
  good: string;
  warn: string;
  bad: string;
  /** Of the rest that has no series of its own. */
  other: string;
  /** Of series, told apart also by the colour-blind. */
  series: readonly string[];
  /** Of fields, from nothing to much. */
  ramp: readonly string[];
}

/** A colour of `tokens.css` as the current theme has it. */
function token(probe: HTMLElement, name: string): string {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

function readColors(dark: boolean): ChartColors {
  // A custom property is handed out as it is written; only a real property is worked out.
  const probe = document.createElement("span");
  probe.hidden = true;
  // Measured within the theme, which may have changed in this very turn.
  document.documentElement.append(probe);
  try {
    return {
      ink: token(probe, "ink"),
      ink2: token(probe, "ink-2"),
      ink3: token(probe, "ink-3"),
      grid: token(probe, "grid"),
      line: token(probe, "line-strong"),
      surface: token(probe, "surface"),
      raised: token(probe, "raised"),
      accent: token(probe, "accent"),
      good: token(probe, "good"),
      warn: token(probe, "warn"),
      bad: token(probe, "bad"),
      other: token(probe, "other"),
      series: dark ? SERIES_DARK : SERIES_LIGHT,
      ramp: dark ? RAMP_DARK : RAMP_LIGHT,
    };
  } finally {
    probe.remove();
  }
}

const { isDark } = useTheme();
const colors = computed(() => readColors(isDark.value));

/** Colours of the current theme; one for all charts. */
export function useChartTheme(): { colors: ComputedRef<ChartColors>; isDark: ComputedRef<boolean> } {
  return { colors, isDark };
}
