/** What an exploration shows, in a line. */
import { UNIT_WORDS } from "@/format";
import type { Exploration } from "@/graphs/exploration";
import { kindInfo } from "@/graphs/kinds";

export function viewWords(e: Exploration, title: (column: string) => string): string {
  const by = [...e.dimensions, ...e.across].map(title).join(", ");
  const range = e.to === "now" ? e.from : `${e.from} to ${e.to}`;
  return [kindInfo(e.kind).label, by, UNIT_WORDS[e.unit].title, range].filter(Boolean).join(" · ");
}
