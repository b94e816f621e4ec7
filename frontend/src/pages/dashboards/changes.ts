/** Changes of the list of widgets. */
import { COLUMNS, compact, freePlace, put } from "@/pages/dashboards/layout";
import { LEAST, newId, type Widget } from "@/pages/dashboards/model";

/** At the first free place. */
export function addWidget(widgets: readonly Widget[], widget: Widget): Widget[] {
  return [...widgets, { ...widget, place: freePlace(widgets, widget.place) }];
}

export function replaceWidget(widgets: readonly Widget[], widget: Widget): Widget[] {
  return widgets.map((one) => (one.id === widget.id ? { ...widget, place: one.place } : one));
}

export function removeWidget(widgets: readonly Widget[], widget: Widget): Widget[] {
  return compact(widgets.filter(({ id }) => id !== widget.id));
}

/** Beside the original if there is room, below it if not. */
export function duplicateWidget(widgets: readonly Widget[], widget: Widget): Widget[] {
  const copy = { ...widget, id: newId() };
  const { x, y, w, h } = widget.place;
  const place = x + 2 * w <= COLUMNS ? { x: x + w, y, w, h } : { x, y: y + h, w, h };
  return put([...widgets, { ...copy, place }], copy.id, place, LEAST[widget.kind]);
}
