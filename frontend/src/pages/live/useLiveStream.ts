/** The live stream: heard as long as the page is looked at, asked for again when it breaks off. */
import { onScopeDispose, readonly, shallowRef, watch, type Ref } from "vue";
import { api } from "@/api/client";
import { answers, returns } from "@/api/connection";
import { ApiError, isAbort, messageOf } from "@/api/problem";
import { readLiveEvent, type LiveEvent } from "@/pages/live/liveEvent";
import { serverEvents } from "@/pages/live/sse";

/** `connecting` at first, `waiting` between two attempts, `hidden` while nobody looks, `refused` if asking again is of no use. */
export type StreamState = "connecting" | "open" | "waiting" | "hidden" | "refused";

export interface LiveQuestion {
  rate: number;
  columns: readonly string[];
  filter: string;
  timezone: string;
}

export interface LiveStream {
  state: Readonly<Ref<StreamState>>;
  /** Why it broke off, or was refused; empty while all is well. */
  notice: Readonly<Ref<string>>;
  /** Whether the server is known to answer while the stream does not flow: if not, nothing is known of what it does. */
  told: Readonly<Ref<boolean>>;
  /** Seconds to the next attempt. */
  wait: Readonly<Ref<number>>;
  retry: () => void;
}

const PAUSES_S = [1, 2, 4, 8, 15];
/** An event comes twice a second: after so long without one the connection is dead. */
const SILENCE_MS = 5000;

class Silence extends Error {}

/** Listen; `hear` is told each event. A change of the question asks anew, after `fresh`. */
export function useLiveStream(question: () => LiveQuestion, hear: (event: LiveEvent) => void, fresh: () => void): LiveStream {
  const state = shallowRef<StreamState>("connecting");
  const notice = shallowRef("");
  const told = shallowRef(true);
  const wait = shallowRef(0);
  let controller: AbortController | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempts = 0;

  async function listen(own: AbortController): Promise<void> {
    const { rate, columns, filter, timezone } = question();
    const { response } = await api.GET("/api/v1/flows/live", {
      params: { query: { rate, column: [...columns], filter, timezone } },
      headers: { Accept: "text/event-stream" },
      parseAs: "stream",
      signal: own.signal,
    });
    if (!response.body) return;
    let first = true;
    let silence = setTimeout(() => own.abort(new Silence()), SILENCE_MS);
    try {
      for await (const { event, data } of serverEvents(response.body)) {
        clearTimeout(silence);
        silence = setTimeout(() => own.abort(new Silence()), SILENCE_MS);
        if (own.signal.aborted) return;
        if (event === "refused") throw new ApiError({ title: "No room", status: 503, detail: "Too many watch flows at the same time." });
        const heard = event === "flows" ? readLiveEvent(data) : null;
        if (!heard) continue;
        attempts = 0;
        state.value = "open";
        notice.value = "";
        hear({ ...heard, first });
        first = false;
      }
    } finally {
      clearTimeout(silence);
    }
  }

  async function connect(): Promise<void> {
    stop();
    if (document.hidden) {
      state.value = "hidden";
      return;
    }
    const own = (controller = new AbortController());
    if (state.value !== "open") state.value = "connecting";
    try {
      await listen(own);
      if (controller === own) again("The stream ended.");
    } catch (error) {
      if (controller !== own) return;
      const silent = own.signal.reason instanceof Silence;
      if (isAbort(error) && !silent) return;
      if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429) {
        state.value = "refused";
        notice.value = messageOf(error);
      } else if (error instanceof ApiError && error.status > 0) again(messageOf(error), true);
      else again(silent ? "Nothing was heard for five seconds." : error instanceof ApiError ? messageOf(error) : "The connection broke off.");
    }
  }
  function again(why: string, said = false): void {
    told.value = said;
    if (!said) void answers().then((yes) => (told.value ||= yes));
    const pause = PAUSES_S[Math.min(attempts, PAUSES_S.length - 1)] ?? 1;
    attempts++;
    state.value = "waiting";
    notice.value = why;
    wait.value = pause;
    timer = setTimeout(count, 1000);
  }
  function count(): void {
    wait.value--;
    if (wait.value <= 0) void connect();
    else timer = setTimeout(count, 1000);
  }
  function stop(): void {
    clearTimeout(timer);
    const own = controller;
    controller = null;
    own?.abort();
  }
  function shown(): void {
    if (document.hidden) {
      stop();
      state.value = "hidden";
    } else void connect();
  }

  document.addEventListener("visibilitychange", shown);
  watch(returns, () => state.value === "waiting" && void connect());
  watch(
    () => JSON.stringify(question()),
    (_, before) => {
      if (before !== undefined) fresh();
      attempts = 0;
      notice.value = "";
      void connect();
    },
    { immediate: true },
  );
  onScopeDispose(() => {
    document.removeEventListener("visibilitychange", shown);
    stop();
  });
  return { state: readonly(state), notice: readonly(notice), told: readonly(told), wait: readonly(wait), retry: () => void connect() };
}
