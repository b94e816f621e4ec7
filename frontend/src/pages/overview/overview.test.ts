import { flushPromises } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { useSession } from "@/composables/useSession";
import { series, top, topRow } from "@/graphs/testing/answers";
import { collectorStatus, examples, hostOf, receivedSentence } from "@/pages/overview/collector";
import { exporterState, summarise, type ExporterView } from "@/pages/overview/exporters";
import { interfaceLoads, loadTone } from "@/pages/overview/interfaces";
import InterfacesTile from "@/pages/overview/InterfacesTile.vue";
import LiveFigures from "@/pages/overview/LiveFigures.vue";
import OverviewPage from "@/pages/overview/OverviewPage.vue";
import { rankedRows, saysNothing } from "@/pages/overview/ranking";
import { graphRange, overviewCodec } from "@/pages/overview/state";
import { accessibilityFaults, answer, COLUMNS, mountPart, type Answers } from "@/testing/mount";
import { soon } from "@/testing/soon";

vi.mock("@/charts/echarts", () => ({
  init: () => ({ setOption() {}, on() {}, dispatchAction() {}, resize() {}, dispose() {} }),
}));
vi.mock("@/components/filter/editor", () => {
  throw new Error("the chunk did not load");
});

const NOW = Date.parse("2026-01-31T12:00:00Z");
const exporter = (severities: ("error" | "warning" | "info")[], flows = 10): ExporterView =>
  ({
    address: "192.0.2.1",
    name: "edge1",
    site: "ams",
    last_seen: "2026-01-31T12:00:00Z",
    rates: { flows_per_second: flows, packets_per_second: 2, bits_per_second: 3 },
    problems: severities.map((severity) => ({ severity, what: "no template for 256", todo: "wait" })),
  }) as unknown as ExporterView;

describe("what follows from answers", () => {
  it("bars are measured by the largest", () => {
    const rows = rankedRows(top({ rows: [topRow("a", 200, 0.5), topRow("b", 50, 0.125)] }));
    expect(rows.map(({ part, share }) => [part, share])).toEqual([[1, "50.0\u00a0%"], [0.25, "12.5\u00a0%"]]);
    expect(rows[0]?.clauses).toMatchObject([{ column: "SrcAS", value: "a" }]);
  });

  it("a column that is never filled says nothing", () => {
    expect(saysNothing(top({ rows: [{ ...topRow("", 1, 1), dimensions: [""] }] }))).toBe(true);
    expect(saysNothing(top({ rows: [topRow("https", 1, 1)] }))).toBe(false);
  });

  it("input and output of an interface stand together, the busiest first", () => {
    const line = (names: string[], value: number) => ({ ...topRow("", value, 1), dimensions: names, labels: names });
    const loads = interfaceLoads(
      top({ dimensions: ["ExporterName", "InIfName", "InIfDescription"], rows: [line(["r1", "ge0", "Transit"], 20), line(["r1", "ge1", ""], 70)] }),
      top({ dimensions: ["ExporterName", "OutIfName", "OutIfDescription"], rows: [line(["r1", "ge0", "Transit"], 90), line(["r2", "", ""], 99)] }),
      5,
    );
    expect(loads).toMatchObject([
      { name: "ge0", input: 20, output: 90, description: "Transit" },
      { name: "ge1", input: 70, output: null },
    ]);
    expect(loads[0]?.clauses.map(({ column }) => column)).toEqual(["ExporterName", "InIfName"]);
    expect([10, 70, 90].map((load) => loadTone(load).word)).toEqual(["", "busy", "full"]);
  });

  it("exporters are as well as their worst problem", () => {
    expect(exporterState(exporter(["info"]))).toEqual({ tone: "good", words: "OK" });
    expect(exporterState(exporter(["warning", "error", "error"]))).toEqual({ tone: "bad", words: "2 errors" });
    expect(summarise([exporter([]), exporter(["warning"], 5)])).toMatchObject({ count: 2, withProblems: 1, tone: "warn", flows: 15 });
  });

  it("the collector's words are checked", () => {
    expect(collectorStatus(null)).toMatchObject({ ports: [], places: [], datagrams: 0, flows: 0 });
    const status = collectorStatus({
      listeners: [{ address: "0.0.0.0", port: 2055, reach: "all" }, 7],
      sockets: [{ address: "0.0.0.0", port: 2055, datagrams: 3 }, 7], decoded: { flows: "x" }, waiting_bytes: 9 });
    expect(status).toMatchObject({ ports: [2055], datagrams: 3, flows: 0 });
    expect(receivedSentence(status)).toContain("template");
    expect(receivedSentence(collectorStatus({}))).toBe("No datagram has come yet.");
    const busy = collectorStatus({ activity: { text: "The demo makes two days of history", share: 0.437 } });
    expect(receivedSentence(busy)).toBe("The demo makes two days of history: 43 %. This page fills by itself when it is done.");
  });
  it.each([
    [[{ address: "::", port: 9995, reach: "all" }], "COLLECTOR:9995", "port=9995"],
    [[{ address: "127.0.0.1", port: 4000, reach: "machine" }], "127.0.0.1:4000", "port=4000"],
    [[{ address: "127.0.0.1", port: 1, reach: "machine" }, { address: "192.0.2.9", port: 4739, reach: "address" }], "192.0.2.9:4739", "port=4739"],
    [[{ address: "2001:db8::9", port: 4739, reach: "address" }], "[2001:db8::9]:4739", "port=4739"],
  ])("examples name where it listens: %j", (listeners, place, port) => {
    const texts = examples("COLLECTOR", collectorStatus({ listeners }).listeners).map(({ text }) => text);
    expect(texts.join()).toContain(place);
    expect(texts.join()).toContain(port);
    expect(texts.join()).not.toContain("2055");
  });
  it.each([
    ["localhost", { host: "COLLECTOR", near: true }],
    ["127.0.0.1", { host: "COLLECTOR", near: true }],
    ["[::1]", { host: "COLLECTOR", near: true }],
    ["localhost.example.net", { host: "localhost.example.net", near: false }],
    ["flows.example.net", { host: "flows.example.net", near: false }],
    ["[2001:db8::7]", { host: "2001:db8::7", near: false }],
  ])("the host of the page is what exporters call this machine: %s", (hostname, host) => {
    expect(hostOf(hostname)).toEqual(host);
  });
  it("an IPv6 host is written as each command wants it", () => {
    const texts = examples(hostOf("[2001:db8::7]").host, [{ address: "::", port: 9995, reach: "all" }]).map(({ text }) => text);
    expect(texts[0]).toContain("dst-address=2001:db8::7 port=9995");
    expect(texts[2]).toContain("-n [2001:db8::7]:9995 ");
  });
  it("sFlow goes to its own port where there is one, the rest to the first", () => {
    const listeners = [2055, 4739, 6343].map((port) => ({ address: "::", port, reach: "all" as const }));
    expect(collectorStatus({ listeners }).ports).toEqual([2055, 4739, 6343]);
    expect(examples("h", listeners).map(({ text }) => /2055|4739|6343/.exec(text)?.[0])).toEqual(["2055", "6343", "2055"]);
  });
  it("examples wait until it is known where it listens", () => {
    expect(examples("COLLECTOR", collectorStatus(null).listeners)).toEqual([]);
  });
});

describe("the ranges", () => {
  it("the graph shows the day around the chosen range", () => {
    expect(graphRange({ from: "now-1h", to: "now" }, NOW, true)).toEqual({ from: "now-24h", to: "now" });
    expect(graphRange({ from: "now-7d", to: "now" }, NOW, true)).toEqual({ from: "now-7d", to: "now" });
    expect(graphRange({ from: "2026-01-10T00:00:00Z", to: "2026-01-10T02:00:00Z" }, NOW, true)).toEqual({
      from: "2026-01-09T02:00:00Z",
      to: "2026-01-10T02:00:00Z",
    });
  });

  it("are in the address, with what else was chosen", () => {
    const state = overviewCodec.parse({ v: "1", from: "now-6h", unit: "packets/s", split: "Proto", filter: "x", refresh: "0" });
    expect(state).toEqual({ from: "now-6h", to: "now", unit: "packets/s", split: "Proto", filter: "x", refresh: 0, plausible: false });
    expect(overviewCodec.serialise(overviewCodec.parse({ unit: "nonsense" }))).toEqual({});
  });
});

const SESSION = { name: "local", role: "admin", csrf_token: "", may: { share: true, operate: true, administer: true } };
const usual: Answers = {
  "GET /api/v1/session": SESSION,
  "GET /api/v1/columns": COLUMNS,
  "GET /api/v1/filters": [],
  "GET /api/v1/exporters": [exporter(["warning"])],
  "POST /api/v1/flows/series": series(),
  "POST /api/v1/flows/top": (body: unknown) => {
    const { dimensions } = body as { dimensions: string[] };
    const labels = dimensions.map((name) => `a ${name}`);
    return top({ dimensions, rows: [{ ...topRow("", 80, 0.8), dimensions: labels, labels }] });
  },
  "POST /api/v1/filter/check": { ok: true, canonical: "", error: null, tokens: [], columns: [], raw: false },
  "POST /api/v1/filter/combine": { text: "SrcAS = AS1" },
};

async function overview(answers: Answers = {}, path = "/") {
  const asked = answer({ ...usual, ...answers });
  await useSession().reload();
  document.body.innerHTML = '<div id="page-actions"></div>';
  const { wrapper, router } = await mountPart(OverviewPage, { path });
  await new Promise((resolve) => setTimeout(resolve, 30));
  await flushPromises();
  return { wrapper, router, asked };
}

describe("the overview", () => {
  beforeEach(() => {
    vi.stubGlobal("IntersectionObserver", undefined);
    vi.stubGlobal(
      "ResizeObserver",
      class {
        constructor(private readonly callback: (entries: unknown[]) => void) {}
        observe() {
          this.callback([{ contentRect: { width: 900, height: 360 } }]);
        }
        disconnect() {}
      },
    );
  });

  it("shows every tile, each a link to what is behind it", async () => {
    const { wrapper } = await overview();
    const titles = wrapper.findAll("section h2").map((one) => one.text().replace(/: .*/, ""));
    expect(titles).toEqual([
      "Traffic, last 24 hours",
      "Source AS",
      "Destination AS",
      "Source countries",
      "Protocols",
      "Destination ports",
      "Applications",
      "Interfaces",
      "Exporters",
    ]);
    for (const title of wrapper.findAll("section h2")) expect(title.find("a").exists()).toBe(true);
    expect(wrapper.text()).toContain("1 has a problem");
    expect(wrapper.text()).toContain("no template for 256");
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("filters all tiles by a row", async () => {
    const { wrapper, router, asked } = await overview();
    await wrapper.get("ol[aria-label='Source AS'] button").trigger("click");
    await flushPromises();
    expect(router.currentRoute.value.query).toMatchObject({ filter: "SrcAS = AS1" });
    await new Promise((resolve) => setTimeout(resolve, 180));
    const filtered = asked.filter(({ body }) => (body as { filter?: string } | undefined)?.filter === "SrcAS = AS1");
    // The graph, six rankings, both sides of the interfaces, and the rates of now.
    expect(filtered).toHaveLength(10);
  });

  it("says on every tile for which time there are data, and of implausible flows, which can be left out", async () => {
    const part = { asked_start: "2016-01-31T12:00:00Z", start: "2016-01-31T12:00:00Z", implausible_flows: 3 };
    const { wrapper, router, asked } = await overview({
      "POST /api/v1/flows/series": series(part),
      "POST /api/v1/flows/top": (body: unknown) => top({ ...part, dimensions: (body as { dimensions: string[] }).dimensions }),
    });
    await soon(() => expect(wrapper.findAll("section [data-notes]")).toHaveLength(8));
    for (const one of wrapper.findAll("section [data-notes]")) expect(one.text()).toMatch(/12:00 – 12:04 UTC.*3 .*flows .*count/);
    expect(await accessibilityFaults()).toEqual([]);

    await wrapper.findAll("section [data-notes] button")[2]?.trigger("click");
    await flushPromises();
    expect(router.currentRoute.value.query).toMatchObject({ plausible: "1" });
    await new Promise((resolve) => setTimeout(resolve, 180));
    // The graph, six rankings, both sides of the interfaces, and the rates of now, which the store knows then.
    const left = asked.filter(({ body }) => (body as { leave_out_implausible?: boolean } | undefined)?.leave_out_implausible);
    expect(left).toHaveLength(10);
    await soon(() => expect(wrapper.findAll("section [data-notes]").at(-1)?.text()).toContain("left out"));
  });

  it("shows source ports where no exporter names applications", async () => {
    const { wrapper } = await overview({
      "POST /api/v1/flows/top": (body: unknown) => {
        const { dimensions } = body as { dimensions: string[] };
        const value = dimensions[0] === "ApplicationName" ? "" : "x";
        return top({ dimensions, rows: [{ ...topRow(value, 80, 0.8), dimensions: dimensions.map(() => value) }] });
      },
    });
    expect(wrapper.find("ol[aria-label='Source ports']").exists()).toBe(true);
  });

  it("shows rates of interfaces where their speeds are not known", async () => {
    const { wrapper } = await overview({
      "POST /api/v1/flows/top": (body: unknown) => {
        const { dimensions, unit } = body as { dimensions: string[]; unit: "bits/s" };
        const rows = unit.endsWith("%") ? [] : [{ ...topRow("", 8e9, 1), dimensions: ["r1", "ge0", ""], labels: ["r1", "ge0", ""] }];
        return top({ dimensions, unit, rows });
      },
    });
    await soon(() => expect(wrapper.get("ul[aria-label='Interfaces by load']").text()).toContain("8.00\u00a0Gbit/s"));
    expect(wrapper.text()).toContain("speeds are not known");
  });

  it("knows loads of interfaces as soon as flows come, though there were none at first", async () => {
    let flows = false;
    const asked = answer({
      ...usual,
      "POST /api/v1/flows/top": (body: unknown) => {
        const { dimensions, unit } = body as { dimensions: string[]; unit: "bits/s" };
        const rows = flows ? [{ ...topRow("", unit.endsWith("%") ? 42 : 8e9, 1), dimensions: ["r1", "ge0", ""], labels: ["r1", "ge0", ""] }] : [];
        return top({ dimensions, unit, rows });
      },
    });
    const { wrapper } = await mountPart(InterfacesTile, { props: { state: overviewCodec.parse({}), turn: 0 } });
    await soon(() => expect(asked.map(({ body }) => (body as { unit: string }).unit)).toContain("bits/s"));
    await soon(() => expect(wrapper.text()).toContain("No flows in this range"));
    expect(wrapper.text()).not.toContain("speeds are not known");

    flows = true;
    await wrapper.setProps({ turn: 1 });
    await soon(() => expect(wrapper.get("ul[aria-label='Interfaces by load']").text()).toContain("42.0\u00a0%"));
    expect(wrapper.text()).toContain("average load");
  });

  it("says what is wrong with a filter, once for each tile", async () => {
    const refused = () => new Response(JSON.stringify({ title: "Bad Request", detail: "unknown column 'SrcAsn'" }), { status: 400 });
    const { wrapper } = await overview({ "POST /api/v1/flows/top": refused, "POST /api/v1/flows/series": refused }, "/?v=1&filter=SrcAsn%3D1");
    expect(wrapper.findAll("section [role=alert]").map((one) => one.text())).toContain("unknown column 'SrcAsn'Try again");
    expect(wrapper.findAll("a p").map((one) => one.text())).toContain("–");
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("hides from a tenant what is not theirs, and does not ask for it", async () => {
    const { wrapper, asked } = await overview({ "GET /api/v1/session": { ...SESSION, may: { share: false, operate: false, administer: false } } });
    expect(wrapper.text()).not.toContain("Exporters");
    expect(asked.some(({ path }) => path === "/api/v1/exporters")).toBe(false);
    expect(wrapper.text()).toContain("Flows now");
  });

  const begins = (status: object, top: unknown): Promise<Awaited<ReturnType<typeof overview>>> =>
    overview({
      "GET /api/v1/exporters": [],
      "GET /api/v1/status": { version: "1", health: "ok", sockets: [], decoded: {}, ...status },
      "POST /api/v1/flows/top": top,
    });

  it("shows how far the demo is, also when a part of its history is stored already", async () => {
    const listeners = [{ address: "127.0.0.1", port: 2055, reach: "machine" }];
    const { wrapper } = await begins({ listeners, activity: { text: "The demo makes two days of history", share: 0.5 } }, top());
    await soon(() => expect(wrapper.text()).toContain("The demo makes two days of history: 50 %."));
    expect(wrapper.text()).not.toContain("No flows");
  });

  it("names no port where it listens nowhere", async () => {
    const { wrapper } = await begins({ listeners: [] }, top({ rows: [] }));
    await soon(() => expect(wrapper.text()).toContain("This collector listens nowhere"));
    expect(wrapper.text()).not.toMatch(/Every port|Millrace runs and listens|stands for|UDP \w/);
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("says that nothing matches only where something was to match", async () => {
    const none = { "POST /api/v1/flows/top": top({ rows: [] }), "POST /api/v1/flows/series": series({ rows: [] }) };
    const all = await overview(none);
    await soon(() => expect(all.wrapper.text()).toContain("No flows in this range"));
    expect(all.wrapper.text()).not.toContain("No flows match");
    const some = await overview(none, "/?v=1&filter=Proto%3D6");
    await soon(() => expect(some.wrapper.text()).toContain("No flows match"));
  });

  it("does not say of exporters of before that all are well", async () => {
    const props = { state: overviewCodec.parse({}), figures: null, failed: false, exporters: [exporter([])], mayOperate: true };
    const { wrapper } = await mountPart(LiveFigures, { props: { ...props, exportersOld: NOW } });
    expect(wrapper.text()).toContain("all are well, at 12:00:00 UTC");
  });

  it("tells how to begin where nothing was ever received", async () => {
    const { wrapper } = await overview({
      "GET /api/v1/exporters": [],
      "GET /api/v1/status": { version: "1", health: "ok", listeners: [{ address: "0.0.0.0", port: 2055, reach: "all" }], sockets: [{ address: "0.0.0.0", port: 2055 }], decoded: {} },
      "POST /api/v1/flows/top": top({ rows: [] }),
    });
    expect(wrapper.text()).toContain("Waiting for the first flows");
    expect(wrapper.text()).toContain("UDP COLLECTOR:2055");
    expect(await accessibilityFaults()).toEqual([]);
  });
});
