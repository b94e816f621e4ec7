/**
 * Dashboards as the console knows them, and as the server keeps them: a list of widgets whose content only the console
 * understands. What is read is checked: a widget that makes no sense, or comes from a newer Millrace, stays in the list
 * as `unknown`, says so, and is saved again as it was.
 */
import type { components } from "@/api/schema";
import { exploration, storedExploration, type Exploration } from "@/graphs/exploration";
import { compact, within, type Least, type Place, type Placed } from "@/pages/dashboards/layout";

type Schemas = components["schemas"];
export type StoredDashboard = Schemas["DashboardView"];
export type StoredWidget = Schemas["Widget"];

export const FIGURES = ["last", "average", "maximum", "total"] as const;
export type Figure = (typeof FIGURES)[number];

interface Shown extends Placed {
  title: string;
}

/** What asks the flows. */
export interface AskingWidget extends Shown {
  kind: "graph" | "top" | "number";
  exploration: Exploration;
  /** It keeps its own range of time; else it has that of the page. */
  ownRange: boolean;
  /** Of a number. */
  figure: Figure;
}

export interface NoteWidget extends Shown {
  kind: "note";
  text: string;
}

export interface ExportersWidget extends Shown {
  kind: "exporters";
}

export interface UnknownWidget extends Shown {
  kind: "unknown";
  problem: string;
  stored: StoredWidget;
}

export type Widget = AskingWidget | NoteWidget | ExportersWidget | UnknownWidget;
export type WidgetKind = Exclude<Widget["kind"], "unknown">;

/** Where a dashboard begins; its address can say otherwise. */
export interface PageSettings {
  from: string;
  to: string;
  /** Seconds between two questions; 0: never. */
  refresh: number;
}

/** What can be changed of a dashboard. */
export interface DashboardContent {
  name: string;
  description: string;
  filter: string;
  shared: boolean;
  settings: PageSettings;
  widgets: readonly Widget[];
}

export interface Dashboard extends DashboardContent {
  id: string;
  owner: string;
  own: boolean;
  updated: string;
}

/** Of the content of a widget; raised if a name in it changes its meaning. */
const VERSION = 1;
/** Holds what is of the page and not of a widget: the server keeps widgets and nothing else. */
const PAGE = "page";
export const USUAL_SETTINGS: Readonly<PageSettings> = { from: "now-6h", to: "now", refresh: 60 };
export const MAX_WIDGETS = 60;
export const MAX_NOTE = 10_000;

export const LEAST: Record<Widget["kind"], Least> = {
  graph: { w: 3, h: 4 },
  top: { w: 2, h: 3 },
  number: { w: 2, h: 3 },
  note: { w: 2, h: 2 },
  exporters: { w: 3, h: 3 },
  unknown: { w: 2, h: 2 },
};
export const USUAL_SIZE: Record<WidgetKind, Least> = {
  graph: { w: 6, h: 8 },
  top: { w: 4, h: 7 },
  number: { w: 3, h: 3 },
  note: { w: 4, h: 4 },
  exporters: { w: 4, h: 6 },
};

export function newId(): string {
  return `w${crypto.getRandomValues(new Uint32Array(2)).reduce((text, part) => text + part.toString(36), "")}`;
}

/** A new widget of a kind, at the first place of the grid. */
export function newWidget(kind: WidgetKind): Widget {
  const shown = { id: newId(), title: "", place: { x: 0, y: 0, ...USUAL_SIZE[kind] } };
  switch (kind) {
    case "graph":
      return { ...shown, kind, exploration: exploration(), ownRange: false, figure: "last" };
    case "top":
      return { ...shown, kind, exploration: exploration({ kind: "bars", limit: 8 }), ownRange: false, figure: "last" };
    case "number":
      return { ...shown, kind, exploration: exploration({ dimensions: [] }), ownRange: false, figure: "average" };
    case "note":
      return { ...shown, kind, text: "" };
    case "exporters":
      return { ...shown, kind, title: "Exporters" };
  }
}

function fieldsOf(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}

function textOf(value: unknown, usual: string): string {
  return typeof value === "string" ? value : usual;
}

function readWidget(stored: StoredWidget): Widget {
  const id = stored.id || newId();
  const title = stored.title ?? "";
  const unknown = (problem: string): UnknownWidget => ({
    id,
    title,
    kind: "unknown",
    place: within(stored.place, LEAST.unknown),
    problem,
    stored,
  });
  const content = fieldsOf(stored.exploration) ?? {};
  const version = content["v"] ?? VERSION;
  if (typeof version !== "number" || version > VERSION) return unknown("It was made by a newer version of Millrace.");

  switch (stored.kind) {
    case "graph":
    case "top":
    case "number":
      if (!fieldsOf(stored.exploration)) return unknown("It does not say what to ask.");
      return {
        id,
        title,
        kind: stored.kind,
        place: within(stored.place, LEAST[stored.kind]),
        exploration: storedExploration(content),
        ownRange: content["ownRange"] === true,
        figure: FIGURES.find((figure) => figure === content["figure"]) ?? "average",
      };
    case "note":
      if (typeof content["text"] !== "string") return unknown("It holds no text.");
      return { id, title, kind: "note", place: within(stored.place, LEAST.note), text: content["text"].slice(0, MAX_NOTE) };
    case "exporters":
      return { id, title, kind: "exporters", place: within(stored.place, LEAST.exporters) };
    default:
      return unknown(`This version of Millrace knows no widget of the kind “${stored.kind}”.`);
  }
}

function storedWidget(widget: Widget): StoredWidget {
  const shown = { id: widget.id, place: widget.place, title: widget.title };
  switch (widget.kind) {
    case "graph":
    case "top":
    case "number": {
      const { exploration: e, ownRange, figure } = widget;
      return { ...shown, kind: widget.kind, exploration: { v: VERSION, ...e, ownRange, figure } };
    }
    case "note":
      return { ...shown, kind: "note", exploration: { v: VERSION, text: widget.text } };
    case "exporters":
      return { ...shown, kind: "exporters", exploration: { v: VERSION } };
    case "unknown":
      return { ...widget.stored, id: widget.id, place: widget.place };
  }
}

function readSettings(stored: StoredWidget | undefined): PageSettings {
  const content = fieldsOf(stored?.exploration) ?? {};
  const refresh = content["refresh"];
  return {
    from: textOf(content["from"], USUAL_SETTINGS.from) || USUAL_SETTINGS.from,
    to: textOf(content["to"], USUAL_SETTINGS.to) || USUAL_SETTINGS.to,
    refresh: typeof refresh === "number" && refresh >= 0 && refresh <= 3600 ? Math.round(refresh) : USUAL_SETTINGS.refresh,
  };
}

/** Widgets and settings out of the stored list; two of one id are told apart, none lies over another. */
export function readWidgets(stored: readonly StoredWidget[]): { widgets: Widget[]; settings: PageSettings } {
  const ids = new Set<string>();
  const widgets = stored
    .filter((one) => one.kind !== PAGE)
    .slice(0, MAX_WIDGETS)
    .map((one) => {
      const widget = readWidget(one);
      if (ids.has(widget.id)) widget.id = newId();
      ids.add(widget.id);
      return widget;
    });
  return { widgets: compact(widgets), settings: readSettings(stored.find((one) => one.kind === PAGE)) };
}

export function storedWidgets({ widgets, settings }: Pick<DashboardContent, "widgets" | "settings">): StoredWidget[] {
  const place: Place = { x: 0, y: 0, w: 1, h: 1 };
  return [
    ...widgets.map(storedWidget),
    { id: PAGE, place, title: "", kind: PAGE, exploration: { v: VERSION, ...settings } },
  ];
}

export function readDashboard(stored: StoredDashboard): Dashboard {
  const { id, owner, own, updated, name, description, filter, shared } = stored;
  return { id, owner, own, updated, name, description, filter, shared, ...readWidgets(stored.widgets) };
}

/** The part of a dashboard that is saved. */
export function contentOf({ name, description, filter, shared, settings, widgets }: DashboardContent): DashboardContent {
  return { name, description, filter, shared, settings, widgets };
}

export function sameContent(a: DashboardContent, b: DashboardContent): boolean {
  return ordered(contentOf(a)) === ordered(contentOf(b));
}

/** As JSON, with names in one order: how an object was put together does not matter. */
function ordered(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    const fields = fieldsOf(inner);
    return fields ? Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))) : inner;
  });
}

/**
 * What a widget asks on a page with this range and filter (`filter` holds both: the page's and its own), where implausible
 * flows are left out or not.
 */
export function askedBy(widget: AskingWidget, range: Pick<PageSettings, "from" | "to">, filter: string, plausible = false): Exploration {
  const { exploration: e, kind, ownRange } = widget;
  const asked = { ...e, filter, plausible: e.plausible || plausible, ...(ownRange ? {} : { from: range.from, to: range.to }) };
  if (kind === "top") return { ...asked, kind: "bars" };
  return kind === "number" ? { ...asked, kind: "stacked", dimensions: [], bidirectional: false } : asked;
}
