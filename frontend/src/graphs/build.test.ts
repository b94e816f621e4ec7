import { describe, expect, it } from "vitest";
import type { BarSeriesOption, LineSeriesOption } from "echarts";
import { isEmpty, type GraphAnswer } from "@/graphs/answers";
import { buildGraph, drawableKind, naturalSize } from "@/graphs/build";
import { rangeBetween, type BuiltGraph } from "@/graphs/built";
import type { GraphKind } from "@/graphs/exploration";
import { PREVIOUS_ID } from "@/graphs/marks";
import { strength } from "@/graphs/options/heatmap";
import { at, context, heatmap, otherRow, row, sankey, series, top, topRow } from "@/graphs/testing/answers";

const ofSeries = (changes = {}): GraphAnswer => ({ shape: "series", data: series(changes) });

type Drawn = (LineSeriesOption | BarSeriesOption) & { data: ([number, number | null] | { value: [number, number] })[] };
const drawnOf = (graph: BuiltGraph): Drawn[] => (graph.option.series as Drawn[]) ?? [];
const valuesOf = (one: Drawn | undefined) => one?.data.map((point) => (Array.isArray(point) ? point[1] : point.value[1]));
const tooltipOf = (graph: BuiltGraph, params: unknown): HTMLElement => {
  const { formatter } = graph.option.tooltip as { formatter: (params: unknown) => HTMLElement };
  return formatter(params);
};

describe("stacked areas", () => {
  const graph = buildGraph("stacked", ofSeries(), context());

  it("draw a stack of the rows, the grey rest last", () => {
    expect(graph.marks.map((mark) => mark.name)).toEqual(["AS1 One", "AS2 Two", "Other"]);
    expect(graph.marks.at(-1)?.color).toBe("#999");
    expect(drawnOf(graph).slice(0, 3).map((one) => one.stack)).toEqual(["forward", "forward", "forward"]);
  });

  it("hold the last value to the end of its bucket", () => {
    expect(valuesOf(drawnOf(graph)[0])).toEqual([40, 60, 50, 70, 70]);
    expect(graph.option.xAxis).toMatchObject({ min: Date.parse(at(0)), max: Date.parse(at(4)) });
  });

  it("leave gaps where there is no value", () => {
    const points = [40, null, 50, 70] as unknown as number[];
    const gappy = buildGraph("stacked", ofSeries({ rows: [row("AS1 One", points)] }), context());
    expect(valuesOf(drawnOf(gappy)[0])?.[1]).toBeNull();
  });

  it("veil the bucket that still fills", () => {
    const partial = buildGraph("stacked", ofSeries({ end: "2026-01-31T12:03:30Z" }), context());
    const overlay = (one: BuiltGraph) => drawnOf(one).at(-1)?.markArea?.data;
    expect(overlay(partial)).toHaveLength(1);
    expect(overlay(partial)?.[0]).toMatchObject([{ xAxis: Date.parse(at(3)) }, { xAxis: Date.parse(at(4)) }]);
    expect(overlay(graph)).toHaveLength(0);
  });

  it("shade where nothing was seen at all", () => {
    const total = row("", [5, 0, 0, 5]);
    const gappy = buildGraph("stacked", ofSeries({ total, rows: [row("AS1 One", [5, 0, 0, 5])] }), context());
    expect(drawnOf(gappy).at(-1)?.markArea?.data?.[0]).toMatchObject([{ xAxis: Date.parse(at(1)) }, { xAxis: Date.parse(at(3)) }]);
  });

  it("find a series by its id and by its place", () => {
    const id = graph.marks[1]?.id ?? "";
    expect(graph.placesOf(id)).toEqual([{ seriesIndex: 1 }]);
    expect(graph.markAt({ seriesIndex: 1 })?.id).toBe(id);
    expect(graph.markAt({ seriesIndex: 99 })).toBeNull();
  });

  it("give each row the clauses of a filter for it, and the rest none", () => {
    expect(graph.marks[0]?.clauses).toEqual([{ column: "SrcAS", value: "AS1 One", label: "AS1 One" }]);
    expect(graph.marks[2]?.clauses).toEqual([]);
  });
});

describe("the opposite direction", () => {
  const answer = ofSeries({ reverse: [row("AS1 One", [5, 6, 7, 8]), otherRow([1, 1, 1, 1])] });

  it("is drawn below zero in the colour of the same name", () => {
    const graph = buildGraph("stacked", answer, context());
    const reverse = graph.marks.find((mark) => mark.reverse);
    expect(reverse?.color).toBe(graph.marks[0]?.color);
    expect(reverse?.id).not.toBe(graph.marks[0]?.id);
    expect(valuesOf(drawnOf(graph)[3])).toEqual([-5, -6, -7, -8, -8]);
    expect(drawnOf(graph)[3]?.stack).toBe("reverse");
  });

  it("shares the cell of its series in a grid", () => {
    const graph = buildGraph("grid", answer, context());
    expect(graph.option.grid).toHaveLength(3);
    expect(drawnOf(graph)).toHaveLength(5);
    expect(valuesOf(drawnOf(graph)[1])).toEqual([-5, -6, -7, -8, -8]);
  });
});

describe("the previous period", () => {
  const answer = ofSeries({ previous: { period: "day", start: at(-1440), end: at(-1436), row: row("", [90, 90, 80, 80]) } });

  it("is a dashed line over the stack", () => {
    const graph = buildGraph("stacked", answer, context());
    const [place] = graph.placesOf(PREVIOUS_ID);
    const line = drawnOf(graph)[place?.seriesIndex ?? -1] as LineSeriesOption;
    expect(line.lineStyle?.type).toBeTruthy();
    expect(line.stack).toBeUndefined();
    expect(graph.marks.at(-1)?.name).toBe("Total, a day before");
  });

  it("has no place among parts of the whole", () => {
    expect(buildGraph("percent", answer, context()).placesOf(PREVIOUS_ID)).toEqual([]);
  });
});

describe("100 % areas", () => {
  it("add up to a hundred in each bucket", () => {
    const drawn = drawnOf(buildGraph("percent", ofSeries(), context())).slice(0, 3).map(valuesOf);
    for (const i of [0, 1, 2, 3]) expect(drawn.reduce((sum, values) => sum + (values?.[i] ?? 0), 0)).toBeCloseTo(100);
  });

  it("are nothing where there is nothing", () => {
    const graph = buildGraph("percent", ofSeries({ rows: [row("a", [0, 1, 1, 1])] }), context());
    expect(valuesOf(drawnOf(graph)[0])?.[0]).toBe(0);
  });
});

describe("columns", () => {
  it("stand over the middle of their buckets, the last lighter while it fills", () => {
    const graph = buildGraph("columns", ofSeries({ end: "2026-01-31T12:03:30Z" }), context());
    const data = drawnOf(graph)[0]?.data as { value: [number, number]; itemStyle?: { opacity: number } }[];
    expect(data[0]?.value[0]).toBe(Date.parse(at(0)) + 30_000);
    expect(data[0]?.itemStyle).toBeUndefined();
    expect(data.at(-1)?.itemStyle?.opacity).toBeLessThan(1);
  });
});

describe("a tooltip over time", () => {
  it("is sorted, the rest and the total last, with units and shares", () => {
    const text = tooltipOf(buildGraph("stacked", ofSeries(), context()), [{ dataIndex: 1 }]).textContent ?? "";
    const places = ["12:01 – 12:02", "AS1 One60 bit/s60.0", "AS2 Two20 bit/s", "Other20 bit/s", "Total100 bit/s"].map((part) => text.indexOf(part));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  it("takes names as text", () => {
    const rows = [row("<img src=x onerror=alert(1)>", [1, 2, 3, 4])];
    const tip = tooltipOf(buildGraph("stacked", ofSeries({ rows }), context()), [{ dataIndex: 0 }]);
    expect(tip.querySelector("img")).toBeNull();
    expect(tip.textContent).toContain("<img");
  });

  it("shows the series that is looked at, however small", () => {
    const rows = Array.from({ length: 40 }, (_, i) => row(`AS${i}`, [100 - i, 0, 0, 0]));
    const looked = buildGraph("stacked", ofSeries({ rows }), context()).marks[39]?.id ?? "";
    const tip = tooltipOf(buildGraph("stacked", ofSeries({ rows }), context({ looked: () => looked })), [{ dataIndex: 0 }]);
    expect(tip.textContent).toContain("AS39");
    expect(tip.textContent).toContain("and 28 more");
  });

  it("says that the last bucket still fills", () => {
    const graph = buildGraph("stacked", ofSeries({ end: "2026-01-31T12:03:30Z" }), context());
    expect(tooltipOf(graph, [{ dataIndex: 4 }]).textContent).toContain("still filling");
    expect(tooltipOf(graph, [{ dataIndex: 0 }]).textContent).not.toContain("still filling");
  });
});

describe("a grid", () => {
  it("has a cell for each series, with its name and its average", () => {
    const graph = buildGraph("grid", ofSeries(), context());
    expect(graph.option.yAxis).toHaveLength(3);
    const titles = (graph.option.title as { text: string }[]).map((title) => title.text);
    expect(titles).toEqual(["AS1 One", "ø 55 bit/s", "AS2 Two", "ø 20 bit/s", "Other", "ø 25 bit/s"]);
  });

  it("grows with its cells and narrows with its room", () => {
    const answer = ofSeries({ rows: Array.from({ length: 10 }, (_, i) => row(`AS${i}`, [1, 1, 1, 1])) });
    const wide = naturalSize("grid", answer, { width: 1200 });
    expect(naturalSize("grid", answer, { width: 360 }).height).toBeGreaterThan(wide.height);
  });
});

describe("bars", () => {
  it("end with what is left", () => {
    const graph = buildGraph("bars", { shape: "top", data: top() }, context());
    expect(graph.marks.map((mark) => mark.name)).toEqual(["AS1 One", "AS2 Two", "Other"]);
    expect(graph.placesOf(graph.marks[1]?.id ?? "")).toEqual([{ seriesIndex: 0, dataIndex: 1 }]);
    expect(tooltipOf(graph, { dataIndex: 2 }).textContent).toContain("10 bit/s");
  });

  it("leave out a rest beside which the others could not be compared", () => {
    const rows = [topRow("a", 10, 0.1), topRow("b", 5, 0.05)];
    expect(buildGraph("bars", { shape: "top", data: top({ rows }) }, context()).marks).toHaveLength(2);
  });

  it("know no rest of percentages, which do not add up", () => {
    const graph = buildGraph("bars", { shape: "top", data: top({ unit: "in-%" }) }, context());
    expect(graph.marks).toHaveLength(2);
  });

  it("say nothing of a rest that is rounding", () => {
    const rows = [topRow("a", 99.999999, 1)];
    expect(buildGraph("bars", { shape: "top", data: top({ rows }) }, context()).marks).toHaveLength(1);
  });
});

describe("a heatmap", () => {
  const answer: GraphAnswer = { shape: "heatmap", data: heatmap() };

  it("tells the row and the time of a cell", () => {
    const mark = buildGraph("heatmap", answer, context()).markAt({ seriesIndex: 0, dataIndex: 1 });
    expect(mark).toMatchObject({ name: "AS1 One", from: at(1), to: "2026-01-31T12:02:00.000Z" });
  });

  it("tells both values of a cell against other columns", () => {
    const column = (value: number) => ({ dimensions: [value], labels: [`port ${value}`], other: false, time: null });
    const data = heatmap({ across: ["DstPort"], interval_seconds: null, columns: [column(80), column(443)] });
    const graph = buildGraph("heatmap", { shape: "heatmap", data }, context());
    expect(graph.scale).toBeNull();
    expect(graph.markAt({ seriesIndex: 0, dataIndex: 1 })?.clauses.map((clause) => clause.column)).toEqual(["SrcAS", "DstPort"]);
    // The rest of the rows, but one column: that much can be filtered by.
    expect(graph.markAt({ seriesIndex: 0, dataIndex: 3 })?.clauses.map((clause) => clause.value)).toEqual([443]);
  });

  it("shows small values beside large ones", () => {
    expect(strength(0, 100)).toBe(0);
    expect(strength(1, 100)).toBeCloseTo(0.1);
    expect(strength(100, 100)).toBe(1);
    expect(strength(0, 0)).toBe(0);
    expect(strength(900, 100)).toBe(1);
  });
});

describe("a Sankey", () => {
  const answer: GraphAnswer = { shape: "sankey", data: sankey() };

  it("tells nodes and links", () => {
    const graph = buildGraph("sankey", answer, context());
    expect(graph.markAt({ seriesIndex: 0, dataIndex: 2, dataType: "node" })?.clauses).toEqual([
      { column: "InIfProvider", value: "cogent", label: "cogent" },
    ]);
    const link = graph.markAt({ seriesIndex: 0, dataIndex: 0, dataType: "edge" });
    expect(link?.name).toBe("AS1 One → cogent");
    expect(link?.clauses.map((clause) => clause.column)).toEqual(["SrcAS", "InIfProvider"]);
  });

  it("keeps equal names in different columns apart", () => {
    const node = (dimension: number) => ({ dimension, value: "x", label: "x", other: false, rate: 1 });
    const data = sankey({ nodes: [node(0), node(1)], links: [{ source: 0, target: 1, rate: 1 }] });
    const graph = buildGraph("sankey", { shape: "sankey", data }, context());
    expect(new Set(graph.marks.map((mark) => mark.id)).size).toBe(2);
  });
});

describe("a range chosen with the pointer", () => {
  const scale = { starts: [0, 60, 120, 180], end: 240, counted: false };

  it.each([
    [10, 70, [0, 120]],
    [70, 10, [0, 120]],
    [200, 1e9, [180, 240]],
    [-5, -5, [0, 60]],
  ])("from %d to %d is whole buckets", (a, b, range) => {
    expect(rangeBetween(scale, a, b)).toEqual(range);
  });

  it("counts buckets where the axis does", () => {
    expect(rangeBetween({ ...scale, counted: true }, 1, 2)).toEqual([60, 180]);
  });

  it("is none where there is nothing", () => {
    expect(rangeBetween({ starts: [], end: 0, counted: false }, 1, 2)).toBeNull();
    expect(rangeBetween(scale, NaN, 2)).toBeNull();
  });
});

describe("any kind of graph", () => {
  const answers: [GraphKind, GraphAnswer][] = [
    ["stacked", ofSeries({ rows: [], times: [], total: row("", []) })],
    ["grid", ofSeries({ rows: [], times: [], total: row("", []) })],
    ["bars", { shape: "top", data: top({ rows: [], total: topRow("", 0, 0) }) }],
    ["heatmap", { shape: "heatmap", data: heatmap({ rows: [], columns: [], values: [] }) }],
    ["sankey", { shape: "sankey", data: sankey({ nodes: [], links: [], total: 0 }) }],
  ];

  it.each(answers)("%s can be drawn of nothing", (kind, answer) => {
    expect(isEmpty(answer)).toBe(true);
    expect(buildGraph(kind, answer, context()).option).toBeTruthy();
    expect(naturalSize(kind, answer, { width: 300 }).height).toBeGreaterThan(0);
  });

  it("draws the answer that is there until its own comes", () => {
    expect(drawableKind("sankey", ofSeries())).toBe("stacked");
    expect(drawableKind("lines", ofSeries())).toBe("lines");
    expect(drawableKind("grid", { shape: "top", data: top() })).toBe("bars");
  });
});
