/** What a click on a value does. The server puts filters together: the browser knows nothing of their grammar. */
import { api, ask } from "@/api/client";
import type { components } from "@/api/schema";
import { useToasts } from "@/composables/useToasts";
import type { Exploration } from "@/graphs/exploration";
import type { Clause } from "@/graphs/marks";
import { zone } from "@/time/zone";

type ClauseBody = components["schemas"]["ClauseBody"];

function valueOf(value: unknown): ClauseBody["value"] {
  if (typeof value === "string" || typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  return Array.isArray(value) ? value.map((item: unknown) => (typeof item === "number" ? item : String(item))) : null;
}

/** A filter with conditions for some values added. */
export async function combined(text: string, clauses: readonly Clause[], exclude: boolean): Promise<string> {
  const body = { text, timezone: zone.value, clauses: clauses.map(({ column, value }) => ({ column, value: valueOf(value), exclude })) };
  return (await ask(api.POST("/api/v1/filter/combine", { body }))).text;
}

/** The columns of an exploration with one in the place of those that are settled by a filter. */
export function drilled(columns: readonly string[], settled: readonly Clause[], next: string): string[] {
  const names = new Set(settled.map((clause) => clause.column));
  const place = columns.findIndex((column) => names.has(column));
  const left = columns.filter((column) => !names.has(column) && column !== next);
  const at = place === -1 ? left.length : columns.slice(0, place).filter((column) => left.includes(column)).length;
  return [...left.slice(0, at), next, ...left.slice(at)];
}

export function useClauses(exploration: () => Exploration, change: (differences: Partial<Exploration>) => void) {
  const { fail } = useToasts();

  async function apply(clauses: readonly Clause[], exclude: boolean, more: Partial<Exploration> = {}): Promise<void> {
    try {
      change({ filter: await combined(exploration().filter, clauses, exclude), ...more });
    } catch (error) {
      fail(error);
    }
  }
  return {
    only: (clauses: readonly Clause[]): Promise<void> => apply(clauses, false),
    exclude: (clauses: readonly Clause[]): Promise<void> => apply(clauses, true),
    /** Only this, seen by another column. */
    drill(clauses: readonly Clause[], next: string): Promise<void> {
      const { dimensions, across } = exploration();
      return apply(clauses, false, {
        dimensions: drilled(dimensions, clauses, next),
        across: across.filter((column) => !clauses.some((clause) => clause.column === column)),
      });
    },
  };
}
