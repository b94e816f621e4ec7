/** A question to the API that follows its page: debounced, aborted when nobody wants the answer any more. */
import { computed, onScopeDispose, readonly, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from "vue";
import { returns } from "@/api/connection";
import { isAbort, isPassing, isUnreachable } from "@/api/problem";

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
  /**
   * When the answer was given (Unix milliseconds), if a newer one could not be had: it is shown, marked as old (see
   * `OldMark`), and `state` is what it was with it. Null while all is well, and if there is no answer.
   */
  old: ComputedRef<number | null>;
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
  /** Of the answer: the question, and when it was given. */
  const answered = shallowRef<{ key: string; at: number } | null>(null);
  const asked = computed(() => {
    const value = question();
    return { value, key: value === null ? "" : JSON.stringify(value) };
  });
  let controller: AbortController | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function askNow(): Promise<void> {
    clearTimeout(timer);
    controller?.abort();
    const { value, key } = asked.value;
    if (value === null) {
      answer.value = error.value = answered.value = null;
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
      answered.value = { key, at: Date.now() };
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
  watch(returns, () => {
    if (isUnreachable(error.value)) void askNow();
  });
  onScopeDispose(() => {
    clearTimeout(timer);
    controller?.abort();
  });

  const old = computed(() => {
    if (answered.value === null || !isPassing(error.value)) return null;
    // Without a server nothing is known of a new question; with one its refusal is.
    return isUnreachable(error.value) || answered.value.key === asked.value.key ? answered.value.at : null;
  });
  const state = computed<QuestionState>(() => {
    if (loading.value) return answer.value === null ? "loading" : "stale";
    if (error.value !== null && old.value === null) return "error";
    if (answer.value === null) return "idle";
    return isEmpty?.(answer.value) ? "empty" : "ready";
  });
  return { answer, error, loading: readonly(loading), state, old, took: readonly(took), refresh: askNow };
}
