/** A graph in a sentence or two, for who does not see it; the table holds the rest. */
import { formatShare, formatUnit, isUnit, UNIT_WORDS } from "@/format";
import { zonedRange } from "@/composables/useFormat";
import type { GraphAnswer } from "@/graphs/answers";
import { drawableKind } from "@/graphs/build";
import type { GraphKind } from "@/graphs/exploration";
import { kindInfo } from "@/graphs/kinds";
import { rowName, shown } from "@/graphs/marks";

const LARGEST = 3;

/** A value in the unit of an answer. */
export function valueIn(unit: string, value: number): string {
  return isUnit(unit) ? formatUnit(value, unit) : String(value);
}

/** The same beside an axis, without the name of the unit where it is long. */
export function tickIn(unit: string, value: number): string {
  return valueIn(unit, value)
    .replace(/(\.\d*?)0+(?!\d)/, (_, rest: string) => (rest === "." ? "" : rest))
    .replace(/\s?(flows\/s|pps)$/, "")
    .replace(/bit\/s$/, "b/s");
}

export function describeGraph(kind: GraphKind, answer: GraphAnswer, utc: boolean): string {
  const { start, end, unit } = answer.data;
  const title = kindInfo(drawableKind(kind, answer)).label;
  const measured = isUnit(unit) ? UNIT_WORDS[unit].title : unit;
  return `${title} graph of ${measured}, ${zonedRange(start, end, utc)}. ${largest(answer)}`;
}

function largest(answer: GraphAnswer): string {
  const named = namedValues(answer).filter((one) => one.value > 0);
  if (named.length === 0) return "No flows.";
  const total = answer.shape === "series" ? answer.data.total.average : null;
  const words = named.slice(0, LARGEST).map(({ name, value }) => {
    const share = total ? ` (${formatShare(value / total)})` : "";
    return `${name} ${valueIn(answer.data.unit, value)}${share}`;
  });
  return `${named.length} shown; the largest: ${words.join(", ")}.`;
}

function namedValues(answer: GraphAnswer): { name: string; value: number }[] {
  switch (answer.shape) {
    case "series":
      return answer.data.rows.filter((row) => !row.other).map((row) => ({ name: rowName(row), value: row.average }));
    case "top":
      return answer.data.rows.map((row) => ({ name: rowName(row), value: row.value }));
    case "sankey":
      return answer.data.nodes
        .filter((node) => !node.other)
        .map((node) => ({ name: shown(node.label), value: node.rate }))
        .sort((a, b) => b.value - a.value);
    case "heatmap":
      return answer.data.rows
        .map((row, i) => ({ name: rowName(row), value: Math.max(0, ...(answer.data.values[i] ?? [])), other: row.other }))
        .filter((row) => !row.other);
  }
}
