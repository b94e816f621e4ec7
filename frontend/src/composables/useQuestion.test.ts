import { flushPromises } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope, nextTick, ref, type EffectScope } from "vue";
import { heard, unheard } from "@/api/connection";
import { ApiError } from "@/api/problem";
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

  it("keeps its answer, marked with its time, when the same could not be had again", async () => {
    vi.setSystemTime(1_000_000);
    const { state, old, answer, refresh } = start();
    asked[0]!.resolve(["a"]);
    await flushPromises();
    expect(old.value).toBeNull();

    vi.setSystemTime(2_000_000);
    void refresh();
    asked[1]!.reject(new ApiError({ title: "Busy", status: 503, detail: "busy" }));
    await flushPromises();
    expect([state.value, old.value, answer.value]).toEqual(["ready", 1_000_000, ["a"]]);

    void refresh();
    asked[2]!.resolve([]);
    await flushPromises();
    expect([state.value, old.value]).toEqual(["empty", null]);
  });

  it.each([
    ["a new question is refused", 503, "other", "error"],
    ["a new question has no server to ask", 0, "other", "ready"],
    ["the same may not be asked any more", 403, "one", "error"],
  ])("where %s", async (_, status, next, then) => {
    const { state, refresh } = start();
    asked[0]!.resolve(["a"]);
    await flushPromises();
    text.value = next;
    await nextTick();
    vi.advanceTimersByTime(100);
    if (next === "one") void refresh();
    asked.at(-1)!.reject(new ApiError({ title: "", status, detail: "no" }));
    await flushPromises();
    expect(state.value).toBe(then);
  });

  it("is asked again when the server is back", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("gone")));
    unheard();
    const { state, answer } = start();
    asked[0]!.reject(new ApiError({ title: "", status: 0, detail: "silent" }));
    await flushPromises();
    expect(state.value).toBe("error");

    heard();
    await flushPromises();
    asked[1]!.resolve(["back"]);
    await flushPromises();
    expect([state.value, answer.value]).toEqual(["ready", ["back"]]);
  });
});
