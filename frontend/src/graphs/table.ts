/** A graph as a small table, for who cannot see it where no table stands below. */
import type { ChartTable } from "@/charts/types";
import type { GraphAnswer } from "@/graphs/answers";
import { valueIn } from "@/graphs/describe";
import { OTHER, rowName, shown } from "@/graphs/marks";

export function graphTable(answer: GraphAnswer, title: (column: string) => string): ChartTable {
  const { unit } = answer.data;
  const value = (number: number): string => valueIn(unit, number);
  switch (answer.shape) {
    case "series":
      return {
        columns: [names(answer.data.dimensions, title), "Average", "Maximum", "Last"],
        rows: answer.data.rows.map((row) => [rowName(row), value(row.average), value(row.maximum), value(row.last)]),
      };
    case "top":
      return {
        columns: [names(answer.data.dimensions, title), "Value"],
        rows: answer.data.rows.map((row) => [rowName(row), value(row.value)]),
      };
    case "sankey": {
      const { nodes, links } = answer.data;
      const label = (index: number): string => {
        const node = nodes[index];
        return !node || node.other ? OTHER : shown(node.label);
      };
      return {
        columns: ["From", "To", "Value"],
        rows: links.map((link) => [label(link.source), label(link.target), value(link.rate)]),
      };
    }
    case "heatmap":
      return {
        columns: [names(answer.data.down, title), "Maximum"],
        rows: answer.data.rows.map((row, i) => [rowName(row), value(Math.max(0, ...(answer.data.values[i] ?? [])))]),
      };
  }
}

function names(columns: readonly string[], title: (column: string) => string): string {
  return columns.length > 0 ? columns.map(title).join(" · ") : "Traffic";
}
