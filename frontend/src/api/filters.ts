/** The filter language, which only the server knows: check, complete, saved filters. */
import { api, ask } from "@/api/client";
import type { components } from "@/api/schema";
import { zone } from "@/time/zone";

export type FilterCheck = components["schemas"]["FilterCheck"];
type FilterCompletion = components["schemas"]["CompletionView"];

export type SavedFilter = components["schemas"]["SavedFilterView"];
export type NewFilter = components["schemas"]["FilterBody"];

/** Positions in what is asked and answered are UTF-16 units here, as in every string of a browser. */
export async function checkFilter(text: string, signal?: AbortSignal): Promise<FilterCheck> {
  const check = await ask(api.POST("/api/v1/filter/check", { body: { text, timezone: zone.value }, signal: signal ?? null }));
  const at = unitsOf(text);
  return {
    ...check,
    tokens: check.tokens.map((token) => ({ ...token, start: at(token.start), end: at(token.end) })),
    error: check.error && { ...check.error, start: at(check.error.start), end: at(check.error.end) },
  };
}

export async function completeFilter(text: string, cursor: number, signal?: AbortSignal): Promise<FilterCompletion> {
  const body = { text, timezone: zone.value, cursor: [...text.slice(0, cursor)].length };
  const completion = await ask(api.POST("/api/v1/filter/complete", { body, signal: signal ?? null }));
  const at = unitsOf(text);
  return { ...completion, start: at(completion.start), end: at(completion.end) };
}

export async function savedFilters(signal?: AbortSignal): Promise<readonly SavedFilter[]> {
  return ask(api.GET("/api/v1/filters", { signal: signal ?? null }));
}

export async function saveFilter(filter: NewFilter): Promise<SavedFilter> {
  return ask(api.POST("/api/v1/filters", { body: filter }));
}

/** Place in UTF-16 units of a place in code points, as the server counts. */
export function unitsOf(text: string): (codePoints: number) => number {
  // Most filters have no character outside the basic plane.
  if (!/[\ud800-\udfff]/.test(text)) return (codePoints) => codePoints;
  const starts: number[] = [];
  let at = 0;
  for (const character of text) {
    starts.push(at);
    at += character.length;
  }
  return (codePoints) => starts[codePoints] ?? at;
}
