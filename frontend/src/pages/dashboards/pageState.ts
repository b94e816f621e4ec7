/** What the address of a dashboard says; what it does not say is as the dashboard was saved. */
import type { UrlCodec } from "@/composables/useUrlState";
import type { DashboardContent } from "@/pages/dashboards/model";
import type { LocationQuery } from "vue-router";

export interface PageState {
  from: string | null;
  to: string | null;
  filter: string | null;
  refresh: number | null;
  /** Without flows whose figures cannot be right. */
  plausible: boolean;
  editing: boolean;
}

const VERSION = "1";
const MAX_REFRESH = 3600;

function textAt(query: LocationQuery, name: string): string | null {
  const value = query[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

export const pageCodec: UrlCodec<PageState> = {
  parse(query) {
    const refresh = textAt(query, "refresh");
    return {
      from: textAt(query, "from") || null,
      to: textAt(query, "to") || null,
      filter: textAt(query, "filter"),
      refresh: refresh !== null && /^\d{1,4}$/.test(refresh) ? Math.min(Number(refresh), MAX_REFRESH) : null,
      plausible: textAt(query, "plausible") === "1",
      editing: textAt(query, "edit") === "1",
    };
  },
  serialise({ from, to, filter, refresh, plausible, editing }) {
    const said = {
      ...(from === null ? {} : { from }),
      ...(to === null ? {} : { to }),
      ...(filter === null ? {} : { filter }),
      ...(refresh === null ? {} : { refresh: String(refresh) }),
      ...(plausible ? { plausible: "1" } : {}),
      ...(editing ? { edit: "1" } : {}),
    };
    return Object.keys(said).length ? { v: VERSION, ...said } : {};
  },
};

/** Nothing but what was saved. */
export const AS_SAVED: PageState = { from: null, to: null, filter: null, refresh: null, plausible: false, editing: false };

/** What holds on the page. */
export function effective(state: PageState, saved: Pick<DashboardContent, "settings" | "filter">) {
  return {
    from: state.from ?? saved.settings.from,
    to: state.to ?? saved.settings.to,
    filter: state.filter ?? saved.filter,
    refresh: state.refresh ?? saved.settings.refresh,
    plausible: state.plausible,
  };
}
