/** Do something again and again while the page is looked at. */
import { onScopeDispose, toValue, watch, type MaybeRefOrGetter } from "vue";

/**
 * Call `task` each `milliseconds` (0: never), not while the tab is hidden; once at return if a turn was missed.
 * The next turn starts when the one before has ended.
 */
export function usePolling(task: () => unknown, milliseconds: MaybeRefOrGetter<number>): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let missed = false;
  let stopped = false;

  function plan(): void {
    clearTimeout(timer);
    const pause = toValue(milliseconds);
    if (!stopped && pause > 0) timer = setTimeout(turn, pause);
  }
  async function turn(): Promise<void> {
    if (document.hidden) {
      missed = true;
      return;
    }
    try {
      await task();
    } finally {
      plan();
    }
  }
  function shown(): void {
    if (document.hidden || !missed) return;
    missed = false;
    void turn();
  }

  document.addEventListener("visibilitychange", shown);
  watch(() => toValue(milliseconds), plan, { immediate: true });
  onScopeDispose(() => {
    stopped = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", shown);
  });
}
