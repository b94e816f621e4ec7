import { flushPromises } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope, nextTick, ref, type EffectScope } from "vue";
import { useQuestion } from "@/composables/useQuestion";

interface Asked {
  question: string;
  signal: AbortSignal;
  resolve: (answer: string[]) => void;
  reject: (error: unknown) => void;
}

describe("a question", () => {
  let asked: Asked[];
  let scope: EffectScope;
  const text = ref<string | null>("one");

  function start() {
    return scope.run(() =>
      useQuestion(
        () => text.value,
        (question, signal) => new Promise<string[]>((resolve, reject) => asked.push({ question, signal, resolve, reject })),
        { debounce: 100, isEmpty: (answer) => answer.length === 0 },
      ),
    )!;
  }

  beforeEach(() => {
    vi.useFakeTimers();
    asked = [];
    text.value = "one";
    scope = effectScope();
    return () => {
      scope.stop();
      vi.useRealTimers();
    };
  });

  it("is asked at once, and its answer is shown", async () => {
    const { state, answer } = start();
    expect([state.value, asked.length]).toEqual(["loading", 1]);

    asked[0]!.resolve(["a"]);
    await flushPromises();

    expect([state.value, answer.value]).toEqual(["ready", ["a"]]);
  });

  it("waits for the typing to end, aborts the one before and keeps its answer meanwhile", async () => {
    const { state, answer } = start();
    asked[0]!.resolve(["a"]);
    await flushPromises();

    for (const typed of ["on", "ont", "onto"]) {
      text.value = typed;
      await nextTick();
      vi.advanceTimersByTime(50);
    }
    expect([state.value, answer.value, asked.length]).toEqual(["stale", ["a"], 1]);
    vi.advanceTimersByTime(100);
    expect(asked.map(({ question }) => question)).toEqual(["one", "onto"]);

    text.value = "last";
    await nextTick();
    expect(asked[1]!.signal.aborted).toBe(true);
    asked[1]!.resolve(["too late"]);
    vi.advanceTimersByTime(100);
    asked[2]!.resolve([]);
    await flushPromises();

    expect([state.value, answer.value]).toEqual(["empty", []]);
  });

  it("tells of an error and can be asked again", async () => {
    const { state, error, refresh } = start();
    asked[0]!.reject(new Error("no store"));
    await flushPromises();
    expect([state.value, (error.value as Error).message]).toEqual(["error", "no store"]);

    void refresh();
    asked[1]!.resolve(["b"]);
    await flushPromises();

    expect([state.value, error.value]).toEqual(["ready", null]);
  });

  it("is not asked while there is none, and ends with its component", async () => {
    const { state } = start();
    scope.stop();
    expect(asked[0]!.signal.aborted).toBe(true);

    scope = effectScope();
    text.value = null;
    expect(start().state.value).toBe("idle");
    expect(state.value).toBe("loading");
    expect(asked).toHaveLength(1);
  });
});
