/** What can be done with a value of a flow. The server puts filters together: the browser knows nothing of their grammar. */
import { useRouter } from "vue-router";
import type { MenuItem } from "@/components/Menu.vue";
import { useColumns } from "@/composables/useColumns";
import { useToasts } from "@/composables/useToasts";
import { exploration, exploreLocation } from "@/graphs/exploration";
import type { Clause } from "@/graphs/marks";
import { oppositeColumn } from "@/graphs/timeline";
import { combined } from "@/pages/explore/useClauses";
import { askedColumns } from "@/pages/flows/columns";
import { flowsCodec } from "@/pages/flows/flowsState";
import type { Picked } from "@/pages/flows/picked";
import { rangeAround, relatedClauses, type Relation } from "@/pages/flows/related";
import { isUnknown, type Flow } from "@/pages/flows/values";
import type { TimeRange } from "@/time/range";

/** Of a value in a menu. */
const MOST_LETTERS = 32;
const MINUTE_MS = 60_000;

export interface ValuePage {
  filter: () => string;
  setFilter: (filter: string) => void;
  range: () => TimeRange;
}

function clauseOf({ column, value, text }: Picked): Clause | null {
  // No condition means an empty list.
  if (Array.isArray(value) && value.length === 0) return null;
  return { column: column.name, value, label: text };
}

export function useValueActions(page: ValuePage) {
  const router = useRouter();
  const { fail, show } = useToasts();
  const { byName } = useColumns();

  /** Do something with the filter that clauses make of the page's own (or of none). */
  async function withFilter(clauses: readonly Clause[], exclude: boolean, then: (filter: string) => unknown, of = page.filter()): Promise<void> {
    try {
      await then(await combined(of, clauses, exclude));
    } catch (error) {
      fail(error);
    }
  }
  function showFlows(filter: string, range: TimeRange): unknown {
    return router.push({ name: "flows", query: flowsQuery(filter, range) });
  }
  function explore(filter: string, column: string): unknown {
    return router.push(exploreLocation(exploration({ filter, dimensions: [column], ...page.range() })));
  }
  async function copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      show(`Copied: ${text}`, "good");
    } catch {
      // Without TLS browsers refuse the clipboard: the value itself is what was wanted.
      show(text);
    }
  }

  /** Entries of a value's menu. `elsewhere`: the page shows no stored flows, so offer the one that does. */
  function itemsOf(picked: Picked, elsewhere = false): MenuItem[] {
    const { column, value, text, flow } = picked;
    const clause = clauseOf(picked);
    const one = clause ? [clause] : [];
    const name = text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS - 1)}…` : text;
    const words = isUnknown(column, value) ? `${column.title} unknown` : name;
    const time = column.display === "time";
    const partner = oppositeColumn(column.name);
    const minute = time ? rangeAround({ [column.name]: value, TimeReceived: value }, MINUTE_MS) : null;
    const items: (MenuItem | false | null)[] = [
      !time && clause && { label: `Only ${words}`, icon: "filter", run: () => void withFilter(one, false, page.setFilter) },
      !time && clause && { label: `Exclude ${words}`, icon: "exclude", run: () => void withFilter(one, true, page.setFilter) },
      column.dimension && {
        label: `Explore by ${column.title}`,
        icon: "chart",
        separated: true,
        run: () => void explore(page.filter(), column.name),
      },
      column.dimension &&
        clause &&
        partner !== column.name &&
        byName.value.has(partner) && {
          label: `Explore only this, by ${byName.value.get(partner)?.title ?? partner}`,
          icon: "drill",
          run: () => void withFilter(one, false, (filter) => explore(filter, partner)),
        },
      minute && { label: "Flows within a minute of it", icon: "clock", run: () => void showFlows(page.filter(), minute) },
      elsewhere && clause && !time && { label: "Stored flows with this", icon: "list", run: () => void withFilter(one, false, (filter) => showFlows(filter, page.range())) },
      elsewhere && { label: "This flow and its like", icon: "list", run: () => void showRelated(flow, "same") },
      { label: "Copy", icon: "copy", separated: true, run: () => void copy(Array.isArray(value) ? value.join(" ") : String(value ?? "")) },
    ];
    return items.filter((item) => item !== false && item !== null);
  }

  /** The stored flows that belong to one, whatever the page's filter. */
  async function showRelated(flow: Flow, relation: Relation): Promise<void> {
    await withFilter(relatedClauses(flow, relation), false, (filter) => showFlows(filter, rangeAround(flow) ?? page.range()), "");
  }
  return { itemsOf, showRelated, withFilter };
}

/** Columns that the actions on a flow need, beside those that are shown. */
export function actionColumns(shown: readonly string[]): string[] {
  return askedColumns(shown, ["TimeReceived", "TimeFlowStart", "TimeFlowEnd", "ExporterAddress", "InIf", "SrcAddr", "SrcPort", "DstAddr", "DstPort", "Proto"]);
}

function flowsQuery(filter: string, range: TimeRange) {
  return flowsCodec.serialise({ ...flowsCodec.parse({}), filter, from: range.from, to: range.to });
}
