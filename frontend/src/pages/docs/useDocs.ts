/** Pages of the documentation, as the server renders them. */
import { computed, shallowRef, type Ref } from "vue";
import { api, ask } from "@/api/client";
import type { components } from "@/api/schema";
import { useQuestion } from "@/composables/useQuestion";

export type HelpEntry = components["schemas"]["HelpEntry"];
export type HelpPage = components["schemas"]["HelpPage"];

export const INDEX = "index";

/** Entries under their sections, in the order in which the server gives them; the index has none. */
export function bySection(entries: readonly HelpEntry[]): { section: string; entries: HelpEntry[] }[] {
  const groups = new Map<string, HelpEntry[]>();
  for (const entry of entries) {
    const group = groups.get(entry.section);
    if (group) group.push(entry);
    else groups.set(entry.section, [entry]);
  }
  return [...groups].map(([section, found]) => ({ section, entries: found }));
}

/** The page of a path, the list of pages, and a search in them. */
export function useDocs(path: Ref<string>) {
  const words = shallowRef("");
  const page = useQuestion(
    () => path.value,
    (wanted, signal) => ask(api.GET("/api/v1/help/{page}", { params: { path: { page: wanted } }, signal })),
    { debounce: 0 },
  );
  const list = useQuestion(
    () => words.value.trim(),
    (search, signal) => ask(api.GET("/api/v1/help", { params: { query: { search } }, signal })),
  );
  const sections = computed(() => bySection(list.answer.value ?? []));
  return { words, page, list, sections };
}
