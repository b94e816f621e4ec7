/** The list of exporters: what is looked for, in which order, as its address says. */
import { flagField, textField, urlCodec } from "@/composables/useUrlState";
import type { TableSort } from "@/components/DataTable.vue";
import { needsAttention } from "@/pages/exporters/problems";
import { protocolName, type ExporterView } from "@/pages/exporters/wording";

export const listCodec = urlCodec({ q: textField(""), sort: textField(""), attention: flagField() });

/** `name`, `-bits`: the column, with a minus if the largest comes first. */
export function sortOf(text: string): TableSort | null {
  const found = /^(-?)([a-z]+)$/.exec(text);
  return found?.[2] ? { key: found[2], descending: found[1] === "-" } : null;
}

export function sortText(sort: TableSort | null): string {
  return sort ? `${sort.descending ? "-" : ""}${sort.key}` : "";
}

/** Exporters that hold every word in what is told of them. */
export function matching(exporters: readonly ExporterView[], text: string, attention: boolean): ExporterView[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return exporters.filter((exporter) => {
    if (attention && !needsAttention(exporter.problems)) return false;
    const told = [
      exporter.name,
      exporter.address,
      exporter.site,
      ...exporter.protocols.map(protocolName),
      ...exporter.problems.map(({ what }) => what),
    ];
    const all = told.join(" ").toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/** The exporter of which the largest part was lost; none if nothing was. */
export function worstLoss(exporters: readonly ExporterView[]): ExporterView | null {
  const worst = [...exporters].sort((a, b) => b.lost_share - a.lost_share)[0];
  return worst && worst.lost_share > 0 ? worst : null;
}
