import { describe, expect, it } from "vitest";
import { exploration } from "@/graphs/exploration";
import { row, series } from "@/graphs/testing/answers";
import { addWidget, duplicateWidget, removeWidget, replaceWidget } from "@/pages/dashboards/changes";
import { copyOf } from "@/pages/dashboards/copies";
import { shownFigure } from "@/pages/dashboards/figures";
import { overlap, within } from "@/pages/dashboards/layout";
import {
  askedBy,
  LEAST,
  newWidget,
  readDashboard,
  readWidgets,
  sameContent,
  storedWidgets,
  USUAL_SETTINGS,
  type AskingWidget,
  type StoredDashboard,
  type StoredWidget,
} from "@/pages/dashboards/model";
import { effective, pageCodec } from "@/pages/dashboards/pageState";
import { TEMPLATES } from "@/pages/dashboards/templates";
import { widgetTitle } from "@/pages/dashboards/titles";
import { mayChange } from "@/pages/dashboards/useDashboard";

const said = (moment: unknown): string => String(moment).slice(11, 16);
const stored = (kind: string, content: unknown, changes: Partial<StoredWidget> = {}): StoredWidget => ({
  id: `id-${kind}`,
  place: { x: 0, y: 0, w: 6, h: 8 },
  title: "",
  kind,
  exploration: content,
  ...changes,
});
const only = (widget: StoredWidget) => readWidgets([widget]).widgets[0];

describe("a stored dashboard", () => {
  it("is the same after it was saved and read", () => {
    for (const template of TEMPLATES) {
      const content = template.make();
      const { widgets, settings } = readWidgets(JSON.parse(JSON.stringify(storedWidgets(content))) as StoredWidget[]);
      expect(sameContent({ ...content, widgets, settings }, content), template.name).toBe(true);
    }
  });

  it("reads a graph that Explore has put there", () => {
    const widget = only(stored("graph", exploration({ kind: "sankey", dimensions: ["SrcAS", "DstAS"] })));
    expect(widget).toMatchObject({ kind: "graph", ownRange: false, exploration: { kind: "sankey", dimensions: ["SrcAS", "DstAS"] } });
  });

  it.each([
    ["a kind of another version", stored("globe", { v: 1 }), "globe"],
    ["content of a newer version", stored("graph", { v: 2 }), "newer"],
    ["a graph without content", stored("graph", null), "what to ask"],
    ["a graph that is a list", stored("top", [1, 2]), "what to ask"],
    ["a note without text", stored("note", { v: 1, text: 5 }), "no text"],
    ["a version that is a word", stored("note", { v: "x", text: "a" }), "newer"],
  ])("says so of %s, and keeps it as it was", (_, widget, words) => {
    const read = readWidgets([widget]);
    expect(read.widgets[0]?.kind).toBe("unknown");
    expect(JSON.stringify(read.widgets[0])).toContain(words);
    expect(storedWidgets(read)[0]).toMatchObject({ kind: widget.kind, exploration: widget.exploration });
  });

  it("passes over values that make no sense", () => {
    const widget = only(stored("number", { kind: "nonsense", unit: 7, limit: 1e9, dimensions: ["Src AS", "DstAS"], figure: "median" }));
    expect(widget).toMatchObject({ figure: "average", exploration: { kind: "stacked", unit: "bits/s", limit: 10, dimensions: ["DstAS"] } });
  });

  it("puts what lies outside of the grid, or over another, where there is room", () => {
    const wild = { x: 90, y: 0, w: 100, h: 1 };
    const { widgets } = readWidgets([stored("note", { text: "a" }, { place: wild }), stored("note", { text: "b" }, { place: wild })]);
    expect(widgets).toHaveLength(2);
    expect(new Set(widgets.map(({ id }) => id)).size).toBe(2);
    expect(widgets.map(({ place }) => place.y)).toEqual([0, 2]);
  });

  it("has usual settings if it has none, or odd ones", () => {
    expect(readWidgets([]).settings).toEqual(USUAL_SETTINGS);
    expect(readWidgets([stored("page", { from: 5, to: "", refresh: -1 })]).settings).toEqual(USUAL_SETTINGS);
    expect(readWidgets([stored("page", { from: "now-1h", to: "now", refresh: 5 })]).settings).toEqual({ from: "now-1h", to: "now", refresh: 5 });
  });
});

describe("templates", () => {
  it.each(TEMPLATES.map((template) => [template.name, template.make()] as const))("%s fits on the grid", (_, { widgets }) => {
    for (const [i, { place, kind }] of widgets.entries()) {
      expect(within(place, LEAST[kind])).toEqual(place);
      for (const other of widgets.slice(i + 1)) expect(overlap(place, other.place)).toBe(false);
    }
    expect(new Set(widgets.map(({ id }) => id)).size).toBe(widgets.length);
  });
});

describe("what a widget asks", () => {
  const widget = newWidget("top") as AskingWidget;

  it("has the range of the page, unless it has its own", () => {
    const asked = askedBy(widget, { from: "now-1h", to: "now" }, "Proto = tcp");
    expect(asked).toMatchObject({ kind: "bars", from: "now-1h", filter: "Proto = tcp" });
    expect(askedBy({ ...widget, ownRange: true }, { from: "now-1h", to: "now" }, "").from).toBe("now-6h");
  });

  it("is one series if it shows a number", () => {
    expect(askedBy({ ...widget, kind: "number" }, { from: "now-1h", to: "now" }, "").dimensions).toEqual([]);
  });

  it("has a title even if nobody gave it one", () => {
    const titled = (name: string) => (name === "SrcAS" ? "Source AS" : name);
    expect(widgetTitle(widget, titled)).toBe("Source AS");
    expect(widgetTitle({ ...widget, title: "Mine" }, titled)).toBe("Mine");
    expect(widgetTitle(newWidget("number"), titled)).toBe("IP bit/s, average");
  });
});

describe("changes of the list", () => {
  const first = newWidget("graph");
  const second = newWidget("note");

  it("add, duplicate, replace and remove", () => {
    const two = addWidget(addWidget([], first), second);
    expect(two.map(({ place }) => [place.x, place.y])).toEqual([[0, 0], [6, 0]]);
    const three = duplicateWidget(two, two[0] ?? first);
    expect(three).toHaveLength(3);
    expect(three[2]?.place).toMatchObject({ x: 6, y: 0 });
    expect(three[1]?.place).toMatchObject({ x: 6, y: 8 });
    expect(replaceWidget(two, { ...second, title: "new" })[1]).toMatchObject({ title: "new", place: two[1]?.place });
    expect(removeWidget(three, three[2] ?? first)[1]?.place).toMatchObject({ y: 0 });
  });
});

describe("who may change", () => {
  it("is its owner, and editors if it is shared", () => {
    expect(mayChange({ own: true, shared: false }, false)).toBe(true);
    expect(mayChange({ own: true, shared: true }, false)).toBe(false);
    expect(mayChange({ own: false, shared: true }, true)).toBe(true);
    expect(mayChange({ own: false, shared: false }, true)).toBe(false);
  });

  it("copies are not shared, and named within bounds", () => {
    const dashboard = readDashboard({ ...DASHBOARD, shared: true, name: "x".repeat(100) });
    expect(copyOf(dashboard)).toMatchObject({ shared: false });
    expect(copyOf(dashboard).name).toHaveLength(100);
  });
});

describe("the address", () => {
  it("says what differs from what was saved", () => {
    const state = pageCodec.parse({ v: "1", from: "now-1h", filter: "", refresh: "99999", edit: "1" });
    expect(state).toEqual({ from: "now-1h", to: null, filter: "", refresh: null, plausible: false, editing: true });
    expect(effective(state, { settings: USUAL_SETTINGS, filter: "Proto = tcp" })).toEqual({ from: "now-1h", to: "now", filter: "", refresh: 60, plausible: false });
    expect(pageCodec.parse(pageCodec.serialise(state) as Record<string, string>)).toEqual(state);
    expect(pageCodec.serialise(pageCodec.parse({}))).toEqual({});
  });
});

describe("a number", () => {
  const previous = (points: number[]) => ({ period: "day" as const, start: "", end: "", row: row("", points, { dimensions: [] }) });

  it("is compared with the period before", () => {
    const shown = shownFigure(series({ previous: previous([80, 80, 80, 80]) }), "average", said);
    expect(shown).toMatchObject({ value: "100\u00a0bit/s", change: "+25.0\u00a0%", rises: true, against: "a day before" });
    expect(shownFigure(series({ previous: previous([200, 200, 200, 200]) }), "last", said).change).toBe("−50.0\u00a0%");
    expect(shownFigure(series({ previous: previous([1, 1, 1, 1]) }), "maximum", said).change).toBe("×\u00a0100");
  });

  it("is compared with nothing where little was stored", () => {
    expect(shownFigure(series({ previous: previous([0, 0, 0, 80]) }), "average", said).change).toBe("");
    expect(shownFigure(series(), "average", said).change).toBe("");
  });

  it("is of the last complete interval, as the server knows it", () => {
    // No data after the second bucket: it is the last one there is something to say of.
    const total = row("", [10, 20, 0, 0], { dimensions: [], last: 20 });
    const shown = shownFigure(series({ total, covered_end: "2026-01-31T12:02:00Z" }), "last", said);
    expect(shown).toMatchObject({ value: "20\u00a0bit/s", name: "Latest" });
    expect(shown.about).toBe("Last interval that is complete; data are complete until 12:02.");
  });

  it("says what it is of, in the words of Explore", () => {
    expect(shownFigure(series({ figures_seconds: 300 }), "maximum", said).name).toBe("Peak of 5-minute averages");
    expect(shownFigure(series(), "average", said)).toMatchObject({
      name: "Average",
      about: "Of the time for which there are data: 12:00 to 12:04.",
    });
  });
});

const DASHBOARD: StoredDashboard = {
  id: "d1",
  owner: "alice",
  own: true,
  created: "2026-01-31T12:00:00Z",
  updated: "2026-01-31T12:00:00Z",
  name: "Mine",
  description: "",
  shared: false,
  filter: "",
  widgets: [],
};
