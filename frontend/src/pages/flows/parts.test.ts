import { beforeEach, describe, expect, it } from "vitest";
import type { LocationQuery } from "vue-router";
import { askedColumns, byGroup, cleanNames, rememberColumns, rememberedColumns, USUAL_COLUMNS } from "@/pages/flows/columns";
import { countLines, fileName, readParts, type Progress } from "@/pages/flows/exportFlows";
import FlowCards from "@/pages/flows/FlowCards.vue";
import { flowsCodec } from "@/pages/flows/flowsState";
import { rangeAround, relatedClauses, relationsOf } from "@/pages/flows/related";
import { columnOf, FLOW } from "@/pages/flows/testing";
import { mountPart } from "@/testing/mount";
import { windowOf } from "@/pages/flows/useRowWindow";
import { sampleOf, widthOf } from "@/pages/flows/useWidths";

describe("cards of flows", () => {
  it("say the zone of every time", async () => {
    const columns = [columnOf("Bytes"), { ...columnOf("TimeReceived"), name: "TimeFlowStart", title: "Flow start" }];
    const { wrapper } = await mountPart(FlowCards, { props: { columns, rows: [{ id: "1", flow: FLOW }], label: "Flows" } });
    const times = wrapper.text().match(/2026-01-31 \d\d:\d\d:\d\d\.\d+( UTC)?/g);
    expect(times).toEqual(["2026-01-31 12:00:05.250 UTC", "2026-01-31 12:00:00.000 UTC"]);
  });
});

describe("the address of the flows", () => {
  it("says everything and comes back", () => {
    const state = { filter: "SrcPort = 1, -- x", from: "yesterday", to: "today", columns: ["SrcAS", "Bytes"], flow: "1795214563736.5496443783496812710", refresh: 30 };
    expect(flowsCodec.parse(flowsCodec.serialise(state) as LocationQuery)).toEqual(state);
  });

  it("leaves out what is usual, and passes over what cannot be", () => {
    expect(flowsCodec.serialise(flowsCodec.parse({}))).toEqual({});
    const state = flowsCodec.parse({ columns: "<b>,,1x", flow: "../../etc", refresh: "-1" });
    expect(state).toEqual(flowsCodec.parse({}));
  });
});

describe("columns", () => {
  beforeEach(() => localStorage.clear());

  it("are asked for with the names of their numbers", () => {
    expect(askedColumns(["SrcAS", "Bytes"], ["Bytes", "Proto"])).toEqual(["SrcAS", "Bytes", "SrcASName", "Proto"]);
  });
  it("are each named once", () => {
    expect(cleanNames(["A", "B", "A", "x y", ""])).toEqual(["A", "B"]);
  });
  it("are remembered until they are forgotten", () => {
    expect(rememberedColumns("flows")).toBeNull();
    rememberColumns("flows", ["SrcAS"]);
    expect(rememberedColumns("flows")).toEqual(["SrcAS"]);
    rememberColumns("flows", null);
    expect(rememberedColumns("flows")).toBeNull();
  });
  it("stand under their groups", () => {
    const of = (name: string, group: string) => ({ name, group });
    expect(byGroup([of("a", "X"), of("b", "Y"), of("c", "X")]).map(({ name, columns }) => [name, columns.length])).toEqual([["X", 2], ["Y", 1]]);
    expect(new Set(USUAL_COLUMNS).size).toBe(USUAL_COLUMNS.length);
  });
});

describe("related flows", () => {
  const pairs = (relation: Parameters<typeof relatedClauses>[1]) => relatedClauses(FLOW, relation).map(({ column, value }) => [column, value]);

  it("of the reverse direction have source and destination exchanged", () => {
    expect(Object.fromEntries(pairs("reverse"))).toEqual({ SrcAddr: "2001:db8::1", DstAddr: "192.0.2.1", SrcPort: 50000, DstPort: 443, Proto: 6 });
  });
  it("of a pair have both ends on both sides", () => {
    expect(pairs("pair")).toEqual([["SrcAddr", "192.0.2.1"], ["SrcAddr", "2001:db8::1"], ["DstAddr", "192.0.2.1"], ["DstAddr", "2001:db8::1"]]);
  });
  it("are offered only where the flow knows enough", () => {
    expect(relationsOf({ SrcAddr: "192.0.2.1", DstAddr: "::" }).map(({ relation }) => relation)).toEqual(["source"]);
    expect(relationsOf({ ...FLOW, InIf: 0 }).map(({ relation }) => relation)).not.toContain("interface");
  });
  it("are looked for around the flow, not after now", () => {
    const now = Date.parse("2026-01-31T12:01:00Z");
    expect(rangeAround(FLOW, 60_000, now)).toEqual({ from: "2026-01-31T11:59:00Z", to: "2026-01-31T12:01:01Z" });
    expect(rangeAround({ SrcAddr: "192.0.2.1" })).toBeNull();
  });
});

describe("rows in sight", () => {
  it("are few of many, with some around", () => {
    expect(windowOf(10_000, 28, 2800, 280)).toEqual({ first: 88, end: 122 });
    expect(windowOf(3, 28, 0, 280)).toEqual({ first: 0, end: 3 });
    expect(windowOf(3, 28, 99_999, 280)).toEqual({ first: 3, end: 3 });
  });
  it("make columns as wide as they need, within bounds", () => {
    expect(widthOf("Bytes", ["1", "123456789"])).toBe(9);
    expect(widthOf("Destination address", ["1"])).toBeGreaterThan(widthOf("AS", ["1"]));
    expect(widthOf("X", ["1".repeat(500)])).toBeLessThan(60);
    expect(sampleOf([1, 2, 3, 4, 5, 6], 3)).toEqual([1, 3, 5]);
  });
});

describe("a file that comes in parts", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const stream = (...parts: string[]) => new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const part of parts) controller.enqueue(bytes(part));
      controller.close();
    },
  });

  it("is counted by its lines, the heading left out", async () => {
    const told: Progress[] = [];
    const { flows, parts } = await readParts(stream("a,b\n1,", "2\n3,4\n"), true, true, (so) => told.push(so));
    expect(flows).toBe(2);
    expect(told).toEqual([{ bytes: 6, flows: 0 }, { bytes: 12, flows: 2 }]);
    expect(await new Blob(parts).text()).toBe("a,b\n1,2\n3,4\n");
    expect(countLines(bytes("\n\n"))).toBe(2);
  });
  it("is not counted where only its end could tell", async () => {
    expect((await readParts(stream("\n\n"), false, false, () => {})).flows).toBeNull();
  });
  it("is named by the server, but nowhere else put", () => {
    expect(fileName('attachment; filename="flows.csv"', "x")).toBe("flows.csv");
    expect(fileName('attachment; filename="../../flows.csv"', "x")).toBe(".._.._flows.csv");
    expect(fileName(null, "x")).toBe("x");
  });
});
