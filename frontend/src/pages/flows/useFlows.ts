/** Single flows that match, the latest first: a first page that follows the question, and older ones when asked for. */
import { computed, onScopeDispose, shallowRef, watch, type ComputedRef, type Ref } from "vue";
import { api, ask } from "@/api/client";
import { returns } from "@/api/connection";
import { isAbort, isUnreachable } from "@/api/problem";
import type { components } from "@/api/schema";
import { useQuestion, type Question } from "@/composables/useQuestion";
import { askedRange, resolveRange, type TimeRange } from "@/time/range";
import type { Flow } from "@/pages/flows/values";

type Page = components["schemas"]["Page"];
type SearchQuestion = components["schemas"]["SearchQuestion"];

export interface FlowsQuestion extends TimeRange {
  filter: string;
  columns: readonly string[];
  timezone: string;
}

export interface FoundFlow {
  id: string;
  flow: Flow;
}

const PAGE_SIZE = 200;
/** More are kept by no browser with pleasure: exports are for that. */
export const MOST_FLOWS = 20_000;

interface FirstPage {
  asked: SearchQuestion;
  page: Page;
}

export interface Flows {
  question: Question<FirstPage>;
  found: ComputedRef<readonly FoundFlow[]>;
  /** Older flows can be asked for. */
  more: ComputedRef<boolean>;
  /** The last page ended because searching took too long, not because it was full. */
  cut: ComputedRef<boolean>;
  loadingMore: Readonly<Ref<boolean>>;
  moreError: Readonly<Ref<unknown>>;
  loadMore: () => Promise<void>;
}

function rowsOf(page: Page): FoundFlow[] {
  return page.flows.map((flow, index) => ({ id: page.ids[index] ?? "", flow }));
}

export function useFlows(question: () => FlowsQuestion): Flows {
  const first = useQuestion<FlowsQuestion, FirstPage>(
    question,
    async ({ filter, from, to, columns, timezone }, signal) => {
      const now = Date.now();
      const { span, problem } = resolveRange({ from, to }, now, timezone === "UTC");
      if (!span) throw new Error(problem);
      const asked: SearchQuestion = { ...askedRange(span, now), timezone, filter, columns: [...columns], limit: PAGE_SIZE };
      return { asked, page: await ask(api.POST("/api/v1/flows/search", { body: asked, signal })) };
    },
    { isEmpty: ({ page }) => page.flows.length === 0 && !page.cursor },
  );
  const older = shallowRef<readonly Page[]>([]);
  const loadingMore = shallowRef(false);
  const moreError = shallowRef<unknown>(null);
  let controller: AbortController | undefined;

  function forget(): void {
    controller?.abort();
    older.value = [];
    moreError.value = null;
    loadingMore.value = false;
  }
  watch(first.answer, forget, { flush: "sync" });
  onScopeDispose(() => controller?.abort());

  const pages = computed(() => (first.answer.value ? [first.answer.value.page, ...older.value] : []));
  const last = computed(() => pages.value.at(-1) ?? null);
  const found = computed(() => pages.value.flatMap(rowsOf));
  const more = computed(() => Boolean(last.value?.cursor) && found.value.length < MOST_FLOWS);

  async function loadMore(): Promise<void> {
    const given = first.answer.value;
    const cursor = last.value?.cursor;
    if (!given || !cursor || loadingMore.value) return;
    const own = (controller = new AbortController());
    loadingMore.value = true;
    moreError.value = null;
    try {
      const page = await ask(api.POST("/api/v1/flows/search", { body: { ...given.asked, cursor }, signal: own.signal }));
      if (!own.signal.aborted) older.value = [...older.value, page];
    } catch (error) {
      if (!own.signal.aborted && !isAbort(error)) moreError.value = error;
    } finally {
      if (controller === own) loadingMore.value = false;
    }
  }

  watch(returns, () => {
    if (isUnreachable(moreError.value)) void loadMore();
  });

  return {
    question: first,
    found,
    more,
    cut: computed(() => Boolean(last.value?.cursor) && (last.value?.flows.length ?? 0) < PAGE_SIZE),
    loadingMore,
    moreError,
    loadMore,
  };
}
