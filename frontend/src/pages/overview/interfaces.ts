/** Load of interfaces: input and output of each, from two answers. */
import type { Top, TopRow } from "@/graphs/answers";
import { clausesOf, type Clause } from "@/graphs/marks";

export const IN_COLUMNS = ["ExporterName", "InIfName", "InIfDescription"] as const;
export const OUT_COLUMNS = ["ExporterName", "OutIfName", "OutIfDescription"] as const;

export interface InterfaceLoad {
  key: string;
  exporter: string;
  name: string;
  description: string;
  /** In the unit of the answers; null: none of the shown ones. */
  input: number | null;
  output: number | null;
  /** Filter for what comes in, or goes out if nothing comes in. */
  clauses: readonly Clause[];
}

/** Interfaces by the larger of their loads. */
export function interfaceLoads(input: Top, output: Top, limit: number): InterfaceLoad[] {
  const found = new Map<string, InterfaceLoad>();
  const add = (top: Top, row: TopRow, side: "input" | "output"): void => {
    const [exporter = "", name = "", description = ""] = row.labels;
    const key = JSON.stringify(row.dimensions.slice(0, 2));
    const known = found.get(key) ?? {
      key,
      exporter,
      name,
      description,
      input: null,
      output: null,
      clauses: clausesOf(top.dimensions, row).slice(0, 2),
    };
    // Two descriptions of one interface, before and after it was renamed.
    found.set(key, { ...known, description: known.description || description, [side]: (known[side] ?? 0) + row.value });
  };
  for (const row of input.rows) add(input, row, "input");
  for (const row of output.rows) add(output, row, "output");
  return [...found.values()]
    .filter(({ name }) => name !== "")
    .sort((a, b) => larger(b) - larger(a))
    .slice(0, limit);
}

export function larger({ input, output }: Pick<InterfaceLoad, "input" | "output">): number {
  return Math.max(input ?? 0, output ?? 0);
}

export type LoadTone = "plain" | "warn" | "bad";

const BUSY = 60;
const FULL = 85;

/** How a load in per cent is to be judged, in a word (empty: nothing to say) and a tone. */
export function loadTone(percent: number): { tone: LoadTone; word: string } {
  if (percent >= FULL) return { tone: "bad", word: "full" };
  if (percent >= BUSY) return { tone: "warn", word: "busy" };
  return { tone: "plain", word: "" };
}
