/** From an exporter to its flows. The server writes the filters: the browser knows nothing of their grammar. */
import { useRouter } from "vue-router";
import { useToasts } from "@/composables/useToasts";
import { exploration, exploreLocation, type Exploration } from "@/graphs/exploration";
import { combined } from "@/pages/explore/useClauses";

export type Direction = "in" | "out" | "both";

export interface Condition {
  column: string;
  value: string | number;
}

/** What flows of an exporter have, and of one of its interfaces. */
export function conditions(address: string, index?: number, direction: Direction = "both"): Condition[] {
  const exporter = { column: "ExporterAddress", value: address };
  // In both directions: the graph has the other one below, of the filter turned round.
  return index === undefined ? [exporter] : [exporter, { column: direction === "out" ? "OutIf" : "InIf", value: index }];
}

export function filterOf(wanted: readonly Condition[]): Promise<string> {
  return combined("", wanted.map((one) => ({ ...one, label: String(one.value) })), false);
}

export function useExplorations(address: () => string) {
  const router = useRouter();
  const { fail } = useToasts();

  async function open(wanted: readonly Condition[], differences: Partial<Exploration>): Promise<void> {
    try {
      const filter = await filterOf(wanted);
      await router.push(exploreLocation(exploration({ from: "now-1h", ...differences, filter })));
    } catch (error) {
      fail(error);
    }
  }
  return {
    exporter: (): Promise<void> => open(conditions(address()), { dimensions: ["InIfName"] }),
    interface: (index: number, direction: Direction): Promise<void> =>
      open(conditions(address(), index, direction), {
        dimensions: [direction === "out" ? "DstAS" : "SrcAS"],
        bidirectional: direction === "both",
      }),
  };
}
