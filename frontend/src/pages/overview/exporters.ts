/** The state of exporters in a few words. */
import type { components } from "@/api/schema";

export type ExporterView = components["schemas"]["ExporterView"];
export type ExporterTone = "good" | "warn" | "bad";

export interface ExporterState {
  tone: ExporterTone;
  words: string;
}

/** The worst of an exporter's problems. */
export function exporterState(exporter: Pick<ExporterView, "problems">): ExporterState {
  const errors = exporter.problems.filter((problem) => problem.severity === "error").length;
  const warnings = exporter.problems.filter((problem) => problem.severity === "warning").length;
  if (errors) return { tone: "bad", words: errors === 1 ? "Error" : `${errors} errors` };
  if (warnings) return { tone: "warn", words: warnings === 1 ? "Warning" : `${warnings} warnings` };
  return { tone: "good", words: "OK" };
}

export interface ExporterSummary {
  count: number;
  withProblems: number;
  tone: ExporterTone;
  flows: number;
  packets: number;
  bits: number;
}

export function summarise(exporters: readonly ExporterView[]): ExporterSummary {
  const tones = exporters.map((exporter) => exporterState(exporter).tone);
  const sum = (of: (rates: ExporterView["rates"]) => number): number => exporters.reduce((total, { rates }) => total + of(rates), 0);
  return {
    count: exporters.length,
    withProblems: tones.filter((tone) => tone !== "good").length,
    tone: tones.includes("bad") ? "bad" : tones.includes("warn") ? "warn" : "good",
    flows: sum((rates) => rates.flows_per_second),
    packets: sum((rates) => rates.packets_per_second),
    bits: sum((rates) => rates.bits_per_second),
  };
}
