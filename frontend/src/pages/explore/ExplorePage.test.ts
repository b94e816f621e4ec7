import { flushPromises, type VueWrapper } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Router } from "vue-router";
import { useToasts } from "@/composables/useToasts";
import GraphView from "@/graphs/GraphView.vue";
import { heatmap, otherRow, row, sankey, series, top } from "@/graphs/testing/answers";
import ExplorePage from "@/pages/explore/ExplorePage.vue";
import { accessibilityFaults, answer, COLUMNS, mountPart, type Answers } from "@/testing/mount";
import { soon } from "@/testing/soon";

const drawn: Record<string, unknown>[] = [];
const actions: Record<string, unknown>[] = [];
vi.mock("@/charts/echarts", () => ({
  init: () => ({
    setOption: (option: Record<string, unknown>) => drawn.push(option),
    on: () => {},
    dispatchAction: (action: Record<string, unknown>) => actions.push(action),
    resize: () => {},
    dispose: () => {},
  }),
}));
// The plain field does the same, and can be typed into here.
vi.mock("@/components/filter/editor", () => {
  throw new Error("the chunk did not load");
});

const SERIES = series({
  rows: [row("AS1 One", [40, 60, 50, 70], { dimensions: [1] }), row("AS2 Two", [30, 20, 10, 20], { dimensions: [2] }), otherRow([30, 20, 40, 10])],
});
const usual: Answers = {
  "GET /api/v1/columns": COLUMNS,
  "GET /api/v1/views": [],
  "GET /api/v1/filters": [],
  "POST /api/v1/flows/series": SERIES,
  "POST /api/v1/flows/top": top(),
  "POST /api/v1/flows/sankey": sankey(),
  "POST /api/v1/flows/heatmap": heatmap(),
  "POST /api/v1/filter/check": { ok: true, canonical: "", error: null, tokens: [], columns: [], raw: false },
  "POST /api/v1/filter/combine": { text: "SrcAS = AS1" },
};

interface Page {
  wrapper: VueWrapper;
  router: Router;
  asked: ReturnType<typeof answer>;
  query: () => Record<string, unknown>;
  questions: (name: string) => Record<string, unknown>[];
}

async function settle(): Promise<void> {
  // Longer than changes are gathered.
  await new Promise((resolve) => setTimeout(resolve, 170));
  await flushPromises();
}

async function explore(path: string, answers: Answers = {}): Promise<Page> {
  const asked = answer({ ...usual, ...answers });
  document.body.innerHTML = '<div id="page-actions"></div>';
  const { wrapper, router } = await mountPart(ExplorePage, { path });
  await flushPromises();
  return {
    wrapper,
    router,
    asked,
    query: () => router.currentRoute.value.query,
    questions: (name) => asked.filter((one) => one.path === `/api/v1/flows/${name}`).map((one) => one.body as Record<string, unknown>),
  };
}

function menuItem(words: string): HTMLElement {
  const items = [...document.querySelectorAll<HTMLElement>("[role=menuitem]")];
  const found = items.find((item) => item.textContent?.includes(words));
  if (!found) throw new Error(`no ${words} among ${items.map((item) => item.textContent).join()}`);
  return found;
}
const graphOf = (page: Page) => page.wrapper.getComponent(GraphView);
const rowsOf = (page: Page) => page.wrapper.findAll("section[aria-label=Figures] tbody tr");

beforeEach(() => {
  drawn.length = actions.length = 0;
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

describe("Explore", () => {
  it("asks what its address says, draws it and shows the figures", async () => {
    const page = await explore("/explore?v=1&by=SrcAS&from=now-1h&limit=5&unit=packets/s");
    expect(page.questions("series")).toHaveLength(1);
    expect(page.questions("series")[0]).toMatchObject({ dimensions: ["SrcAS"], limit: 5, unit: "packets/s", bidirectional: false });
    await soon(() => expect(drawn.length).toBeGreaterThan(0));
    expect(rowsOf(page).map((one) => one.get("td").text())).toEqual(["AS1 One", "AS2 Two", "Other", "Total"]);
    expect(page.wrapper.text()).toContain("from single flows");
  });

  it("says that flows were left out also where nothing else is there", async () => {
    const page = await explore("/explore?v=1&graph=bars&by=SrcAS&plausible=1", {
      "POST /api/v1/flows/top": top({ rows: [], implausible_flows: 4 }),
    });
    expect(page.wrapper.text()).toContain("No flows match");
    expect(page.wrapper.get("[data-notes]").text()).toContain("4 flows with figures that cannot be right are left out.");
    await page.wrapper.get("[data-notes] button").trigger("click");
    await settle();
    expect(page.questions("top").at(-1)).toMatchObject({ leave_out_implausible: false });
  });

  it("has its menu of views also where the server came later", async () => {
    let silent = true;
    const page = await explore("/explore?v=1", {
      "GET /api/v1/session": {},
      "GET /api/v1/views": () => {
        if (silent) throw new TypeError("gone");
        return [];
      },
    });
    const views = () => [...document.querySelectorAll("button")].filter((one) => one.textContent?.trim() === "Views");
    await settle();
    expect(views()).toHaveLength(0);
    silent = false;
    await soon(() => expect(views()).toHaveLength(1));
    expect(page.wrapper.exists()).toBe(true);
  });

  it("can be used by everyone", async () => {
    await explore("/explore?v=1&both=1");
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("draws another kind of the same answer without asking", async () => {
    const page = await explore("/explore?v=1");
    await page.wrapper.get("[data-kind=lines]").trigger("click");
    await settle();
    expect(page.query()).toMatchObject({ graph: "lines" });
    expect(page.questions("series")).toHaveLength(1);
    await page.wrapper.get("[data-kind=heatmap]").trigger("click");
    await settle();
    expect(page.questions("heatmap")[0]).toMatchObject({ down: ["SrcAS"], across: [] });
  });

  it("goes back with the browser", async () => {
    const page = await explore("/explore?v=1");
    await page.wrapper.get("[data-kind=bars]").trigger("click");
    await settle();
    page.router.back();
    await settle();
    expect(page.wrapper.get("[data-kind=stacked]").attributes("aria-checked")).toBe("true");
  });

  it("has keys for kinds and for the filter", async () => {
    const page = await explore("/explore?v=1");
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "6", bubbles: true }));
    await settle();
    expect(page.query()).toMatchObject({ graph: "bars" });
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "/", bubbles: true }));
    expect(document.activeElement?.getAttribute("aria-label")).toBe("Filter");
  });

  it("asks with a filter when Enter is pressed", async () => {
    const page = await explore("/explore?v=1");
    await soon(() => expect(page.wrapper.find("textarea").exists()).toBe(true));
    await page.wrapper.get("textarea").setValue("Proto = tcp");
    await page.wrapper.get("textarea").trigger("keydown", { key: "Enter" });
    await settle();
    expect(page.query()).toMatchObject({ filter: "Proto = tcp" });
    expect(page.questions("series").at(-1)).toMatchObject({ filter: "Proto = tcp" });
  });

  it("lets a series and its row stand out together", async () => {
    const page = await explore("/explore?v=1");
    await soon(() => expect(drawn.length).toBeGreaterThan(0));
    await rowsOf(page)[1]!.trigger("mouseenter");
    await flushPromises();
    expect(actions.at(-1)).toEqual({ type: "highlight", seriesIndex: 1 });
    graphOf(page).vm.$emit("hover", "+[1]");
    await flushPromises();
    expect(rowsOf(page)[0]!.classes()).toContain("bg-hover");
  });

  it("adds a clicked value to the filter by asking the server", async () => {
    const page = await explore("/explore?v=1&filter=Proto+%3D+tcp");
    await rowsOf(page)[0]!.get("td button").trigger("click");
    menuItem("Exclude AS1 One").click();
    await settle();
    expect(page.asked.find((one) => one.path.endsWith("/combine"))?.body).toEqual({
      text: "Proto = tcp",
      timezone: "UTC",
      clauses: [{ column: "SrcAS", value: 1, exclude: true }],
    });
    expect(page.query()).toMatchObject({ filter: "SrcAS = AS1" });
  });

  it("drills down: only this, by another column", async () => {
    const page = await explore("/explore?v=1");
    await rowsOf(page)[0]!.get("td button").trigger("click");
    menuItem("Drill down").click();
    await flushPromises();
    const choice = [...document.querySelectorAll("dialog button")].find((one) => one.textContent?.trim() === "Destination port");
    (choice as HTMLElement).click();
    await settle();
    expect(page.query()).toMatchObject({ filter: "SrcAS = AS1", by: "DstPort" });
  });

  it("leads to the flows of a value", async () => {
    const page = await explore("/explore?v=1&from=now-1h");
    await rowsOf(page)[0]!.get("td button").trigger("click");
    menuItem("Show flows").click();
    await settle();
    expect(page.router.currentRoute.value).toMatchObject({ name: "flows", query: { filter: "SrcAS = AS1", from: "now-1h", to: "now" } });
  });

  it("zooms to what was dragged over, and out again", async () => {
    const page = await explore("/explore?v=1");
    graphOf(page).vm.$emit("brush", "2026-01-31T12:01:00.000Z", "2026-01-31T12:03:00.000Z");
    await settle();
    expect(page.query()).toMatchObject({ from: "2026-01-31T12:01:00Z", to: "2026-01-31T12:03:00Z" });
    graphOf(page).vm.$emit("zoomOut");
    await settle();
    expect(page.query()["from"]).toBeUndefined();
    graphOf(page).vm.$emit("zoomOut");
    await settle();
    expect(String(page.query()["from"])).toMatch(/^\d{4}-/);
  });

  it("filters by what was clicked in the graph", async () => {
    const page = await explore("/explore?v=1&graph=sankey&by=SrcAS,InIfProvider", {});
    const mark = { id: "0:1>1:\"cogent\"", name: "AS1 One → cogent", labels: [], color: "", other: false, reverse: false, previous: false };
    const clauses = [
      { column: "SrcAS", value: 1, label: "AS1 One" },
      { column: "InIfProvider", value: "cogent", label: "cogent" },
    ];
    graphOf(page).vm.$emit("select", { ...mark, clauses }, { x: 5, y: 5 });
    await flushPromises();
    menuItem("Show only AS1 One → cogent").click();
    await settle();
    expect(page.asked.find((one) => one.path.endsWith("/combine"))?.body).toMatchObject({ clauses: [{ value: 1 }, { value: "cogent" }] });
  });

  it("says what a Sankey needs in place of asking", async () => {
    const page = await explore("/explore?v=1&graph=sankey");
    expect(page.questions("sankey")).toHaveLength(0);
    expect(page.wrapper.text()).toContain("Choose two dimensions or more");
  });

  it("changes percentages to another unit for a Sankey, and says so", async () => {
    const page = await explore("/explore?v=1&graph=sankey&by=SrcAS,DstAS&unit=in-%25");
    await settle();
    expect(page.query()).toMatchObject({ unit: "l2-bits/s" });
    expect(useToasts().toasts.value.some((toast) => toast.text.includes("percentages"))).toBe(true);
  });

  it("says what to try when nothing matches", async () => {
    const none = series({ rows: [], total: row("", [0, 0, 0, 0]) });
    const page = await explore("/explore?v=1&filter=SrcAS+%3D+AS9", { "POST /api/v1/flows/series": none });
    expect(page.wrapper.text()).toContain("no flow matches the filter");
    const clear = page.wrapper.findAll("button").find((one) => one.text() === "Without the filter");
    await clear!.trigger("click");
    await settle();
    expect(page.query()["filter"]).toBeUndefined();
  });

  it("shows an error in the server's words, and the graph again after another try", async () => {
    let wrong = true;
    const problem = { title: "Bad Request", status: 400, detail: "line 1, column 1: unknown column 'SrcAsn'; did you mean 'SrcAS'?" };
    const page = await explore("/explore?v=1", {
      "POST /api/v1/flows/series": () => (wrong ? new Response(JSON.stringify(problem), { status: 400 }) : SERIES),
    });
    expect(page.wrapper.get("[role=alert]").text()).toContain("did you mean 'SrcAS'?");
    wrong = false;
    await page.wrapper.get("[role=alert] button").trigger("click");
    await flushPromises();
    expect(page.wrapper.find("[role=alert]").exists()).toBe(false);
    expect(rowsOf(page)).toHaveLength(4);
  });

  it("keeps the graph while the next is awaited", async () => {
    let release: (value: unknown) => void = () => {};
    let first = true;
    const page = await explore("/explore?v=1", {
      "POST /api/v1/flows/series": () => {
        if (first) return SERIES;
        return new Promise((resolve) => (release = resolve)).then(() => SERIES);
      },
    });
    first = false;
    await page.wrapper.get("[data-kind=grid]").trigger("click");
    await settle();
    expect(page.wrapper.find("[aria-busy=true]").exists()).toBe(true);
    expect(page.wrapper.findComponent(GraphView).exists()).toBe(true);
    release(null);
  });

  it("shows the SQL that ran", async () => {
    const page = await explore("/explore?v=1");
    await page.wrapper.findAll("button").find((one) => one.text() === "SQL")!.trigger("click");
    await flushPromises();
    expect(document.querySelector("dialog")?.textContent).toContain("SELECT 1");
  });

  it("begins with the user's own default when its address says nothing", async () => {
    const view = { id: "1", name: "Default", own: true, shared: false, owner: "me", state: { kind: "bars", dimensions: ["DstPort"] } };
    const page = await explore("/explore", { "GET /api/v1/views": [view] });
    await settle();
    expect(page.query()).toMatchObject({ graph: "bars", by: "DstPort" });
    expect(page.questions("series")).toHaveLength(0);
    expect(page.questions("top").at(-1)).toMatchObject({ dimensions: ["DstPort"] });
  });

  it("opens and saves views", async () => {
    const view = { id: "1", name: "Ports", own: false, shared: true, owner: "ann", state: { kind: "bars", dimensions: ["DstPort"] } };
    const page = await explore("/explore?v=1", { "GET /api/v1/views": [view], "POST /api/v1/views": view });
    const views = [...document.querySelectorAll<HTMLElement>("#page-actions button")].find((one) => one.textContent?.includes("Views"));
    views!.click();
    await flushPromises();
    document.querySelectorAll<HTMLElement>("[role=menuitemradio]")[0]!.click();
    await settle();
    expect(page.query()).toMatchObject({ graph: "bars", by: "DstPort" });
  });

  it("has no views where the server keeps none", async () => {
    await explore("/explore?v=1", { "GET /api/v1/views": new Response("{}", { status: 404 }) });
    expect(document.querySelector("#page-actions")?.textContent).not.toContain("Views");
  });
});
