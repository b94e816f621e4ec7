/** Which columns tables of flows show. */
import { readText, writeText } from "@/composables/storage";
import { NAMED_BY } from "@/pages/flows/values";

export const USUAL_COLUMNS: readonly string[] = [
  "TimeReceived", "SrcAddr", "SrcPort", "DstAddr", "DstPort", "Proto", "Bytes", "Packets", "SrcAS", "DstAS",
  "ExporterName", "InIfName", "OutIfName", "SamplingRate",
];

export const LIVE_COLUMNS: readonly string[] = [
  "TimeReceived", "SrcAddr", "SrcPort", "DstAddr", "DstPort", "Proto", "Bytes", "Packets", "SrcAS", "DstAS", "ExporterName",
];

/** More are too wide for any screen; the rest is in the flow itself. */
export const MOST_COLUMNS = 40;

const NAME = /^[A-Za-z][A-Za-z0-9_]{0,255}$/;

/** Names that can be those of columns, each once. */
export function cleanNames(names: readonly string[]): string[] {
  return [...new Set(names)].filter((name) => NAME.test(name)).slice(0, MOST_COLUMNS);
}

/** Columns to ask for: those that are shown, the names that stand beside their numbers, and what `also` needs. */
export function askedColumns(shown: readonly string[], also: readonly string[] = []): string[] {
  return [...new Set([...shown, ...shown.flatMap((name) => NAMED_BY[name] ?? []), ...also])];
}

/** What this browser remembers; null: nothing. */
export function rememberedColumns(page: string): string[] | null {
  const names = cleanNames(readText(`${page}.columns`).split(","));
  return names.length ? names : null;
}

/** Remember a choice; null: forget it. */
export function rememberColumns(page: string, names: readonly string[] | null): void {
  writeText(`${page}.columns`, names?.join(",") ?? "");
}

export interface ColumnGroup<C> {
  name: string;
  columns: C[];
}

/** Columns under their groups, in the order of the schema. */
export function byGroup<C extends { group: string }>(columns: readonly C[]): ColumnGroup<C>[] {
  const groups = new Map<string, C[]>();
  for (const column of columns) groups.set(column.group, [...(groups.get(column.group) ?? []), column]);
  return [...groups].map(([name, members]) => ({ name, columns: members }));
}
