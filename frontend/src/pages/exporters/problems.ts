/** Problems of exporters: how many, how bad, of whom. */
import type { IconName } from "@/components/icons";
import type { ExporterView } from "@/pages/exporters/wording";

export type Problem = ExporterView["problems"][number];
export type Severity = Problem["severity"];

const SEVERITIES: readonly Severity[] = ["error", "warning", "info"];

export interface SeverityLook {
  icon: IconName;
  badge: string;
  ink: string;
  /** One of them, several of them. */
  words: readonly [string, string];
}

export const LOOKS: Readonly<Record<Severity, SeverityLook>> = {
  error: { icon: "error", badge: "badge-bad", ink: "text-bad", words: ["error", "errors"] },
  warning: { icon: "warning", badge: "badge-warn", ink: "text-warn", words: ["warning", "warnings"] },
  info: { icon: "info", badge: "", ink: "text-ink-3", words: ["hint", "hints"] },
};

export interface SeverityCount {
  severity: Severity;
  count: number;
  /** `2 errors`. */
  words: string;
}

/** How many problems there are of each severity, the worst first; nothing of those without any. */
export function severityCounts(problems: readonly Problem[]): SeverityCount[] {
  return SEVERITIES.map((severity) => {
    const count = problems.filter((problem) => problem.severity === severity).length;
    return { severity, count, words: `${count} ${LOOKS[severity].words[count === 1 ? 0 : 1]}` };
  }).filter(({ count }) => count > 0);
}

/** Order by the worst problem, then by how many: what sorts the list. */
export function badness(problems: readonly Problem[]): number {
  const weight: Record<Severity, number> = { error: 1e6, warning: 1e3, info: 1 };
  return problems.reduce((sum, { severity }) => sum + weight[severity], 0);
}

/** Whether somebody should look: hints need nobody. */
export function needsAttention(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity !== "info");
}
