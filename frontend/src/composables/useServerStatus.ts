/** Whether the server answers and how it is. */
import { shallowRef, watch, type Ref } from "vue";
import { api, ask } from "@/api/client";
import { silentSince, unheard } from "@/api/connection";
import { ApiError } from "@/api/problem";
import { usePolling } from "@/composables/usePolling";

export type ServerState = "unknown" | "ok" | "degraded" | "failed" | "unreachable";

export interface ServerStatus {
  state: ServerState;
  version: string;
  /** Everything the server said of itself. */
  details: Readonly<Record<string, unknown>>;
}

const POLL_MS = 15_000;
const PATIENCE_MS = 10_000;

/** What the answer of `/api/v1/status` says. */
export function serverStatusOf(body: Record<string, unknown>): ServerStatus {
  const health = body["health"];
  return {
    state: health === "ok" || health === "failed" ? health : "degraded",
    version: typeof body["version"] === "string" ? body["version"] : "",
    details: body,
  };
}

const status = shallowRef<ServerStatus>({ state: "unknown", version: "", details: {} });

/** What the server last said of itself, as the shell asks it. */
export const lastStatus: Readonly<Ref<ServerStatus>> = status;

/** State of the server, asked every fifteen seconds while the page is looked at, and when it is silent or back. */
export function useServerStatus() {
  async function refresh(): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    try {
      status.value = serverStatusOf(await ask(api.GET("/api/v1/status", { signal })));
    } catch (error) {
      // A server that hangs does not answer either.
      if (signal.aborted) unheard();
      // A refusal is an answer: the server lives, this user may not ask.
      const state = error instanceof ApiError && error.status > 0 && error.status < 500 ? "ok" : "unreachable";
      status.value = { ...status.value, state };
    }
  }

  void refresh();
  usePolling(refresh, POLL_MS);
  watch(silentSince, (since) => {
    if (since === null) void refresh();
    else status.value = { ...status.value, state: "unreachable" };
  });
  return { status, refresh };
}
