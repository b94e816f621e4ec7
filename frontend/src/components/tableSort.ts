import type { TableSort } from "@/components/DataTable.vue";

type Sortable = string | number | boolean | null | undefined;

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** Order of two values; what is unknown comes last whichever way the rest goes. */
function compare(a: Sortable, b: Sortable, descending: boolean): number {
  const [noA, noB] = [a === null || a === undefined, b === null || b === undefined];
  if (noA || noB) return Number(noA) - Number(noB);
  const order = typeof a === "string" || typeof b === "string" ? collator.compare(String(a), String(b)) : Number(a) - Number(b);
  return descending ? -order : order;
}

/** A sorted copy; equal rows keep their order. */
export function sortRows<R>(rows: readonly R[], value: (row: R) => Sortable, descending: boolean): R[] {
  return rows.map((row) => ({ row, key: value(row) })).sort((a, b) => compare(a.key, b.key, descending)).map(({ row }) => row);
}

/** The order after a click on a header: numbers begin with the largest; the third click gives the rows' own order back. */
export function nextSort(sort: TableSort | null, key: string, numeric: boolean): TableSort | null {
  if (sort?.key !== key) return { key, descending: numeric };
  return sort.descending === numeric ? { key, descending: !numeric } : null;
}
