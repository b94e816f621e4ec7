/** Who uses the console, what they may do, and how they log out. */
import { computed, readonly, shallowRef } from "vue";
import { api, ask, onLoginNeeded, useCsrfToken } from "@/api/client";
import { beforeReturn } from "@/api/connection";
import { ApiError } from "@/api/problem";
import type { components } from "@/api/schema";

export type Session = components["schemas"]["SessionView"];
export type Role = Session["role"];

const RANK: Record<Role, number> = { viewer: 0, editor: 1, admin: 2 };

const current = shallowRef<Session | null>(null);
const needsLogin = shallowRef(false);
let loading: Promise<void> | null = null;

async function fetchSession(): Promise<void> {
  try {
    const session = await ask(api.GET("/api/v1/session"));
    useCsrfToken(session.csrf_token);
    current.value = session;
    needsLogin.value = false;
  } catch (error) {
    // Without an answer nobody knows: the pages say so, and the next one asks again. A refusal is noted below.
    if (!(error instanceof ApiError) || error.status !== 401) loading = null;
  }
}

onLoginNeeded(() => {
  current.value = null;
  needsLogin.value = true;
});

// A server that was started anew knows no tokens of before.
beforeReturn(() => (loading = fetchSession()));

/** Session of this browser; one for the whole console. */
export function useSession() {
  return {
    session: readonly(current),
    needsLogin: readonly(needsLogin),
    /** Whether the user has at least this role. */
    may: (role: Role): boolean => current.value !== null && RANK[current.value.role] >= RANK[role],
    /** Whether the user may see the state of exporters, store and collector: those who see a part of the flows may not. */
    mayOperate: computed(() => current.value?.may.operate ?? false),
    displayName: computed(() => current.value?.full_name || current.value?.name || ""),
    /** Ask who it is, once. */
    load: (): Promise<void> => (loading ??= fetchSession()),
    /** Ask again: after a login, or when a profile has changed. */
    reload: (): Promise<void> => (loading = fetchSession()),
    async logout(): Promise<void> {
      const away = current.value?.logout_url;
      await ask(api.DELETE("/api/v1/session"));
      // A fresh start: what the last user saw must not stay in memory.
      location.assign(away || "/login");
    },
  };
}
