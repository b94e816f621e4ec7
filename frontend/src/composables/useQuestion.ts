/** A question to the API that follows its page: debounced, aborted when nobody wants the answer any more. */
import { computed, onScopeDispose, readonly, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from "vue";
import { isAbort } from "@/api/problem";

export type QuestionState = "idle" | "loading" | "ready" | "empty" | "stale" | "error";

export interface QuestionOptions<A> {
  /** Milliseconds without a change before asking; the first question is asked at once. */
  debounce?: number;
  /** Whether an answer holds nothing to show. */
  isEmpty?: (answer: A) => boolean;
}

export interface Question<A> {
  /** The last answer; kept while the next is under way and when it fails. */
  answer: Readonly<ShallowRef<A | null>>;
  error: Readonly<ShallowRef<unknown>>;
  /** A question is under way. */
  loading: Readonly<Ref<boolean>>;
  /** `stale`: an answer to an earlier question is shown while this one is under way. */
  state: ComputedRef<QuestionState>;
  /** How long the last answer took, in milliseconds. */
  took: Readonly<Ref<number>>;
  /** Ask the same again now. */
  refresh: () => Promise<void>;
}

/**
 * Ask whenever the question changes (compared as JSON). A question of null is not asked; the answer is cleared.
 *
 *     const { answer, state, error, refresh } = useQuestion(
 *       () => ({ dimensions: ["SrcAS"], ...range.value }),
 *       (question, signal) => ask(api.POST("/api/v1/flows/top", { body: question, signal })),
 *     );
 */
export function useQuestion<Q, A>(
  question: () => Q | null,
  run: (question: Q, signal: AbortSignal) => Promise<A>,
  options: QuestionOptions<A> = {},
): Question<A> {
  const { debounce = 150, isEmpty } = options;
  const answer = shallowRef<A | null>(null);
  const error = shallowRef<unknown>(null);
  const loading = shallowRef(false);
  const took = shallowRef(0);
  const asked = computed(() => {
    const value = question();
    return { value, key: value === null ? "" : JSON.stringify(value) };
  });
  let controller: AbortController | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function askNow(): Promise<void> {
    clearTimeout(timer);
    controller?.abort();
    const { value } = asked.value;
    if (value === null) {
      answer.value = error.value = null;
      loading.value = false;
      return;
    }
    const own = (controller = new AbortController());
    const since = performance.now();
    loading.value = true;
    try {
      const given = await run(value, own.signal);
      if (own.signal.aborted) return;
      answer.value = given;
      error.value = null;
      took.value = performance.now() - since;
    } catch (failure) {
      // Aborted by the next question or by the component's end: not a failure of this one.
      if (own.signal.aborted || isAbort(failure)) return;
      error.value = failure;
    } finally {
      if (controller === own) loading.value = false;
    }
  }

  watch(
    () => asked.value.key,
    (_, before) => {
      clearTimeout(timer);
      if (before === undefined || before === "" || debounce === 0) void askNow();
      else {
        // What is under way answers a question that nobody asks any more.
        controller?.abort();
        loading.value = true;
        timer = setTimeout(() => void askNow(), debounce);
      }
    },
    { immediate: true },
  );
  onScopeDispose(() => {
    clearTimeout(timer);
    controller?.abort();
  });

  const state = computed<QuestionState>(() => {
    if (loading.value) return answer.value === null ? "loading" : "stale";
    if (error.value !== null) return "error";
    if (answer.value === null) return "idle";
    return isEmpty?.(answer.value) ? "empty" : "ready";
  });
  return { answer, error, loading: readonly(loading), state, took: readonly(took), refresh: askNow };
}
