/** Files of an exploration. */
import { api, ask } from "@/api/client";
import { downloadBlob } from "@/composables/download";
import { UNIT_WORDS } from "@/format";
import { kindInfo } from "@/graphs/kinds";
import { seriesQuestion } from "@/graphs/question";
import type { Exploration } from "@/graphs/exploration";
import { askedRange, resolveRange } from "@/time/range";

export const DATA_FORMATS = [
  { format: "csv", label: "CSV" },
  { format: "json", label: "JSON" },
  { format: "jsonl", label: "JSON lines" },
  { format: "parquet", label: "Parquet" },
  { format: "arrow", label: "Arrow" },
] as const;
export type DataFormat = (typeof DATA_FORMATS)[number]["format"];

/** What an exploration shows, in a line. */
export function headingOf(e: Exploration, title: (column: string) => string): string {
  const by = [...e.dimensions, ...(e.kind === "heatmap" ? e.across : [])].map(title);
  return by.length > 0 ? `${UNIT_WORDS[e.unit].title} by ${by.join(", ")}` : `${UNIT_WORDS[e.unit].title}, all traffic`;
}

/** Name of a file without its extension. */
export function fileStem(e: Exploration): string {
  return ["millrace", kindInfo(e.kind).kind, ...e.dimensions].join("-").replaceAll(/[^\w.-]+/g, "_");
}

/** The figures of the series, as a file. */
export async function downloadData(e: Exploration, format: DataFormat, utc: boolean): Promise<void> {
  const now = Date.now();
  const { span, problem } = resolveRange(e, now, utc);
  if (!span) throw new Error(problem);
  const body = seriesQuestion(e, askedRange(span, now));
  const data: unknown = await ask(api.POST("/api/v1/flows/table", { body, params: { query: { format } }, parseAs: "blob" }));
  if (data instanceof Blob) downloadBlob(data, `${fileStem(e)}.${format}`);
}
