/** What a widget is called if nobody has named it. */
import { UNIT_WORDS } from "@/format";
import { kindInfo } from "@/graphs/kinds";
import { FIGURE_WORDS } from "@/pages/dashboards/figures";
import type { Widget, WidgetKind } from "@/pages/dashboards/model";
import type { IconName } from "@/components/icons";

export interface WidgetKindInfo {
  kind: WidgetKind;
  label: string;
  description: string;
  icon: IconName;
}

export const WIDGET_KINDS: readonly WidgetKindInfo[] = [
  { kind: "graph", label: "Graph", description: "Any graph of Explore", icon: "chart" },
  { kind: "top", label: "Top list", description: "The largest, with bars", icon: "list" },
  { kind: "number", label: "Number", description: "One figure and its course", icon: "gauge" },
  { kind: "note", label: "Note", description: "Text for those who look at it", icon: "edit" },
  { kind: "exporters", label: "Exporters", description: "Their state and problems", icon: "router" },
];

export function widgetTitle(widget: Widget, columnTitle: (name: string) => string): string {
  if (widget.title) return widget.title;
  switch (widget.kind) {
    case "graph":
    case "top": {
      const by = widget.exploration.dimensions.map(columnTitle).join(" · ");
      return by || `${kindInfo(widget.exploration.kind).label}, ${UNIT_WORDS[widget.exploration.unit].title}`;
    }
    case "number":
      return `${UNIT_WORDS[widget.exploration.unit].title}, ${FIGURE_WORDS[widget.figure].toLowerCase()}`;
    case "note":
      return "Note";
    case "exporters":
      return "Exporters";
    case "unknown":
      return "Unknown widget";
  }
}
