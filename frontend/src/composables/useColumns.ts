/** The columns of flows, asked once. */
import { computed, readonly, shallowRef, watch } from "vue";
import { api, ask } from "@/api/client";
import { returns } from "@/api/connection";
import type { components } from "@/api/schema";

export type Column = components["schemas"]["ColumnView"];

const columns = shallowRef<readonly Column[]>([]);
const error = shallowRef<unknown>(null);
let loading: Promise<void> | null = null;

async function fetchColumns(): Promise<void> {
  try {
    columns.value = await ask(api.GET("/api/v1/columns"));
    error.value = null;
  } catch (failure) {
    error.value = failure;
    // The next component that needs them asks again.
    loading = null;
  }
}

watch(returns, () => {
  if (error.value !== null) void (loading ??= fetchColumns());
});

const byName = computed(() => new Map(columns.value.map((column) => [column.name, column])));
const dimensions = computed(() => columns.value.filter((column) => column.dimension));

/** Columns of flows; one list for the whole console. */
export function useColumns() {
  void (loading ??= fetchColumns());
  return {
    columns: computed(() => columns.value),
    dimensions,
    byName,
    error: readonly(error),
    /** Title of a column; its name until the columns are there. */
    title: (name: string): string => byName.value.get(name)?.title ?? name,
    /** When the columns are there (or could not be had: see `error`). */
    ready: (): Promise<void> => (loading ??= fetchColumns()),
  };
}
