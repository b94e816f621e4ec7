/** Tooltips are elements, never text taken as HTML: names come out of flows and configurations. */
import type { Mark } from "@/graphs/marks";

export interface TooltipRow {
  mark: Pick<Mark, "id" | "name" | "color" | "other" | "previous">;
  value: number;
  text: string;
  detail?: string;
}

const MOST_ROWS = 12;

function element(tag: string, style: string, text = ""): HTMLElement {
  const made = document.createElement(tag);
  made.style.cssText = style;
  made.textContent = text;
  return made;
}

export function swatch(color: string, dashed = false): HTMLElement {
  return element(
    "span",
    dashed
      ? `display:inline-block;width:10px;border-top:2px dashed ${color};margin-right:8px;vertical-align:middle`
      : `display:inline-block;width:10px;height:10px;border-radius:3px;background:${color};margin-right:8px`,
  );
}

/** The largest first, "other" last, what is looked at always among them. */
function chosenRows(rows: readonly TooltipRow[], looked: string | null, most = MOST_ROWS): TooltipRow[] {
  const sorted = rows
    .filter((row) => !row.mark.other)
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .concat(rows.filter((row) => row.mark.other));
  if (sorted.length <= most) return sorted;
  const chosen = sorted.slice(0, most);
  const wanted = sorted.find((row) => row.mark.id === looked);
  if (wanted && !chosen.includes(wanted)) chosen[most - 1] = wanted;
  return chosen;
}

/** One group of rows under a heading. */
export function tooltipGroup(heading: string, rows: readonly TooltipRow[], looked: string | null): HTMLElement {
  const group = element("div", "");
  if (heading) group.append(element("div", "margin-top:6px;font-weight:600;opacity:.75", heading));
  const chosen = chosenRows(rows, looked);
  for (const row of chosen) group.append(line(row, row.mark.id === looked));
  const left = rows.length - chosen.length;
  if (left > 0) group.append(element("div", "opacity:.65;padding-left:18px", `and ${left} more`));
  return group;
}

function line(row: TooltipRow, looked: boolean): HTMLElement {
  const made = element("div", `display:flex;align-items:center;gap:16px;line-height:1.55;${looked ? "font-weight:700" : ""}`);
  const name = element("span", "flex:1;max-width:260px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap");
  name.append(swatch(row.mark.color, row.mark.previous), row.mark.name);
  made.append(name, element("span", "font-variant-numeric:tabular-nums;white-space:nowrap", row.text));
  if (row.detail) made.append(element("span", "opacity:.65;font-variant-numeric:tabular-nums;min-width:44px;text-align:right", row.detail));
  return made;
}

export function tooltip(title: string, ...parts: (HTMLElement | string)[]): HTMLElement {
  const made = element("div", "font-size:.86rem;max-width:min(420px,80vw)");
  made.append(element("div", "font-weight:600;margin-bottom:2px", title));
  for (const part of parts) made.append(typeof part === "string" ? element("div", "opacity:.75", part) : part);
  return made;
}
