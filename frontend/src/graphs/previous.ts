/** Whether an earlier period says anything. */
import type { SeriesRow } from "@/graphs/answers";

/** With gaps in most of it, it was not received, or not kept: comparing with it would mislead. */
export function mostlyStored(row: Pick<SeriesRow, "points">): boolean {
  return row.points.filter((point) => point > 0).length * 2 > row.points.length;
}
