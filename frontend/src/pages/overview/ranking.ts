/** From answers to rows of a ranking. */
import type { Ranked } from "@/components/RankList.vue";
import { formatShare } from "@/format";
import type { Top, TopRow } from "@/graphs/answers";
import { isPercentage } from "@/graphs/kinds";
import { valueIn } from "@/graphs/describe";
import type { TopQuestion } from "@/graphs/question";
import { clausesOf, rowId, rowName, type Clause } from "@/graphs/marks";
import { zone } from "@/time/zone";

/** A question with what it does not say filled in. */
export function topOf(question: Partial<TopQuestion> & Pick<TopQuestion, "dimensions">): TopQuestion {
  return { timezone: zone.value, leave_out_implausible: false, filter: "", unit: "bits/s", truncate_v4: 32, truncate_v6: 128, limit: 10, ...question };
}

export interface RankedFlows extends Ranked {
  clauses: readonly Clause[];
}

/** Rows of an answer, their bars measured by the largest. */
export function rankedRows(top: Top): RankedFlows[] {
  const most = Math.max(0, ...top.rows.map((row) => row.value));
  return top.rows.map((row) => ({
    key: rowId(row),
    label: rowName(row),
    value: valueIn(top.unit, row.value),
    part: most > 0 ? row.value / most : 0,
    // Loads of interfaces are no parts of a whole.
    ...(isPercentage(top.unit) ? {} : { share: formatShare(row.share) }),
    clauses: clausesOf(top.dimensions, row),
  }));
}

/** Whether no row says anything: texts are empty, numbers 0. */
export function saysNothing(top: Top): boolean {
  return top.rows.every((row: TopRow) => row.dimensions.every((value) => value === "" || value === 0 || value === null));
}
