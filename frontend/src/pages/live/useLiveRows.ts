/** The flows of the stream as rows, new ones on top; held still while somebody reads them. */
import { computed, shallowRef, watch, type ComputedRef, type Ref } from "vue";
import type { TableFlow } from "@/pages/flows/picked";
import type { Flow } from "@/pages/flows/values";

export const MOST_ROWS = 300;
/** Where more come at once, all rows are new: none stands out. */
const MOST_MARKED = 2;

export interface LiveRows {
  rows: ComputedRef<readonly TableFlow[]>;
  /** Flows that came since the rows are held still; those that no longer fit are counted too. */
  held: Readonly<Ref<number>>;
  add: (flows: readonly Flow[], now: number) => void;
  clear: () => void;
}

export function useLiveRows(still: () => boolean): LiveRows {
  const all = shallowRef<readonly TableFlow[]>([]);
  const frozen = shallowRef<readonly TableFlow[] | null>(null);
  const held = shallowRef(0);
  let last = 0;

  watch(
    still,
    (stands) => {
      frozen.value = stands ? all.value : null;
      held.value = 0;
    },
    { immediate: true, flush: "sync" },
  );
  return {
    rows: computed(() => frozen.value ?? all.value),
    held,
    add(flows, now) {
      if (!flows.length) return;
      const mark = flows.length <= MOST_MARKED ? { born: now } : {};
      const fresh = flows.map((flow): TableFlow => ({ id: String(++last), flow, ...mark })).reverse();
      all.value = [...fresh, ...all.value].slice(0, MOST_ROWS);
      if (frozen.value) held.value += flows.length;
    },
    clear() {
      all.value = [];
      held.value = 0;
      if (frozen.value) frozen.value = [];
    },
  };
}
