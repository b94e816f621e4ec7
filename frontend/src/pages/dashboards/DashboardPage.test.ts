import { flushPromises, type VueWrapper } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { useSession } from "@/composables/useSession";
import { exploration } from "@/graphs/exploration";
import { row, series, top, topRow } from "@/graphs/testing/answers";
import AddToDashboard from "@/pages/dashboards/AddToDashboard.vue";
import DashboardPage from "@/pages/dashboards/DashboardPage.vue";
import DashboardsPage from "@/pages/dashboards/DashboardsPage.vue";
import type { StoredDashboard, StoredWidget } from "@/pages/dashboards/model";
import { accessibilityFaults, answer, COLUMNS, mountPart, type Answers } from "@/testing/mount";

vi.mock("@/charts/echarts", () => ({
  init: () => ({ setOption() {}, on() {}, dispatchAction() {}, resize() {}, dispose() {} }),
}));
// The plain field does the same, and can be typed into here.
vi.mock("@/components/filter/editor", () => {
  throw new Error("the chunk did not load");
});

const WIDGETS: StoredWidget[] = [
  { id: "g", place: { x: 0, y: 0, w: 6, h: 8 }, title: "By source", kind: "graph", exploration: { v: 1, ...exploration({ filter: "Proto = tcp" }) } },
  { id: "t", place: { x: 6, y: 0, w: 6, h: 8 }, title: "Largest", kind: "top", exploration: { v: 1, ...exploration({ kind: "bars" }) } },
  { id: "n", place: { x: 0, y: 8, w: 3, h: 3 }, title: "Peak", kind: "number", exploration: { v: 1, ...exploration({ dimensions: [] }), figure: "maximum" } },
  { id: "m", place: { x: 3, y: 8, w: 3, h: 3 }, title: "", kind: "note", exploration: { v: 1, text: "Call **the NOC**" } },
  { id: "x", place: { x: 6, y: 8, w: 3, h: 3 }, title: "Odd", kind: "globe", exploration: {} },
];
const DASHBOARD: StoredDashboard = {
  id: "d1",
  owner: "local",
  own: true,
  created: "2026-01-31T12:00:00Z",
  updated: "2026-01-31T12:00:00Z",
  name: "Transit",
  description: "What we pay for",
  shared: false,
  filter: "SrcAS = 1",
  widgets: WIDGETS,
};
const SESSION = { name: "local", full_name: "", role: "editor", via: "open", csrf_token: "", may: { share: true, operate: true, administer: false } };
const VIEWER = { ...SESSION, role: "viewer", may: { share: false, operate: true, administer: false } };
const usual: Answers = {
  "GET /api/v1/session": SESSION,
  "GET /api/v1/columns": COLUMNS,
  "GET /api/v1/filters": [],
  "GET /api/v1/dashboards": [DASHBOARD],
  "PATCH /api/v1/dashboards/d1": (body: unknown) => ({ ...DASHBOARD, ...(body as object) }),
  "POST /api/v1/dashboards": (body: unknown) => ({ ...DASHBOARD, id: "d2", ...(body as object) }),
  "DELETE /api/v1/dashboards/d1": new Response(null, { status: 204 }),
  "POST /api/v1/flows/series": series({ total: row("", [100, 200, 100, 100], { dimensions: [] }) }),
  "POST /api/v1/flows/top": top({ rows: [topRow("AS1 One", 80, 0.8), topRow("AS2 Two", 20, 0.2)] }),
  "POST /api/v1/filter/check": (body: unknown) => ({
    ok: true,
    canonical: (body as { text: string }).text,
    error: null,
    tokens: [],
    columns: [],
    raw: false,
  }),
  "POST /api/v1/filter/combine": { text: "SrcAS = 1 AND SrcAS = 2" },
};

async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 170));
  await flushPromises();
}
async function open(answers: Answers = {}, path = "/dashboards/d1") {
  const asked = answer({ ...usual, ...answers });
  await useSession().reload();
  document.body.innerHTML = '<div id="page-actions"></div>';
  const { wrapper, router } = await mountPart(DashboardPage, { path, props: { id: "d1" } });
  await settle();
  return {
    wrapper,
    router,
    asked,
    bodies: (method: string, name: string) =>
      asked.filter((one) => one.method === method && one.path === `/api/v1/${name}`).map((one) => one.body as Record<string, unknown>),
  };
}
const words = (): string => document.body.textContent?.replaceAll(/\s+/g, " ") ?? "";
function button(name: string): HTMLElement {
  const all = [...document.querySelectorAll<HTMLElement>("button, [role=menuitem]")];
  const found = all.find((one) => one.getAttribute("aria-label") === name || one.textContent?.trim() === name);
  if (!found) throw new Error(`no button ${name} among ${all.map((one) => one.textContent?.trim()).join(", ")}`);
  return found;
}
async function click(name: string): Promise<void> {
  button(name).click();
  await flushPromises();
}
async function press(wrapper: VueWrapper, id: string, key: string, shiftKey = false): Promise<void> {
  await wrapper.get(`[data-handle="${id}"]`).trigger("keydown", { key, shiftKey });
  await flushPromises();
}

beforeEach(() => {
  vi.stubGlobal("IntersectionObserver", undefined);
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(private readonly callback: (entries: unknown[]) => void) {}
      observe() {
        this.callback([{ contentRect: { width: 1200, height: 360 } }]);
      }
      disconnect() {}
    },
  );
});

describe("a dashboard", () => {
  it("shows its widgets, and says of one that it cannot be shown", async () => {
    await open();
    expect(words()).toContain("By source");
    expect(words()).toContain("AS1 One");
    expect(words()).toContain("200");
    expect(words()).toContain("the NOC");
    expect(words()).toContain("no widget of the kind “globe”");
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("asks with its range, and its filter and that of the widget together", async () => {
    const { bodies } = await open({}, "/dashboards/d1?v=1&from=now-1h");
    const filters = bodies("POST", "flows/series").map((body) => body["filter"]);
    expect(filters).toContain("(SrcAS = 1) AND (Proto = tcp)");
    expect(bodies("POST", "flows/top")[0]).toMatchObject({ filter: "SrcAS = 1" });
    const start = Date.parse(String(bodies("POST", "flows/top")[0]?.["start"]));
    expect(Date.now() - start).toBeLessThan(3_700_000);
  });

  it("says of each figure for which time there are data, and of implausible flows, which can be left out", async () => {
    const part = { asked_start: "2016-01-31T12:00:00Z", start: "2016-01-31T12:00:00Z", implausible_flows: 12 };
    const { wrapper, router, bodies } = await open({
      "POST /api/v1/flows/series": series(part),
      "POST /api/v1/flows/top": top(part),
    });
    const notes = wrapper.findAll("[data-notes]");
    // The graph, the list and the number.
    expect(notes).toHaveLength(3);
    for (const one of notes) {
      expect(one.text()).toMatch(/Data only for 2026-01-31 12:00 – 12:04 UTC/);
      expect(one.get("[role=note]").attributes("title")).toMatch(/averages and other figures are about that part/);
      expect(one.text()).toContain("12 implausible flows count");
    }
    expect(await accessibilityFaults()).toEqual([]);

    await notes[1]?.get("button").trigger("click");
    await settle();
    expect(router.currentRoute.value.query).toMatchObject({ plausible: "1" });
    for (const name of ["flows/series", "flows/top"]) expect(bodies("POST", name).at(-1)).toMatchObject({ leave_out_implausible: true });
    expect(wrapper.findAll("[data-notes]").map((one) => one.text())).toEqual(Array(3).fill(expect.stringContaining("12 implausible flows left out")));
  });

  it("leaves out what a widget leaves out by itself, and says so", async () => {
    const own = WIDGETS.map((one) => (one.id === "t" ? { ...one, exploration: { v: 1, ...exploration({ kind: "bars", plausible: true }) } } : one));
    const { wrapper } = await open({
      "GET /api/v1/dashboards": [{ ...DASHBOARD, widgets: own }],
      "POST /api/v1/flows/top": top({ rows: [], implausible_flows: 1 }),
    });
    const [note] = wrapper.findAll("[data-notes]");
    // Nothing else matches: without the note it would seem that nothing passed.
    expect(wrapper.text()).toContain("No flows match");
    expect(note?.text()).toBe("1 implausible flow left out");
  });

  it("shows one value alone when its row is clicked", async () => {
    const { wrapper, router } = await open();
    await wrapper.findAll("li button")[0]?.trigger("click");
    await settle();
    expect(router.currentRoute.value.query["filter"]).toBe("SrcAS = 1 AND SrcAS = 2");
  });

  it("is arranged by keyboard, undone, and saved", async () => {
    const { wrapper, bodies } = await open({}, "/dashboards/d1?edit=1");
    await press(wrapper, "g", "ArrowDown");
    await press(wrapper, "t", "ArrowLeft", true);
    await click("Undo");
    await click("Save");
    const [saved] = bodies("PATCH", "dashboards/d1");
    const places = Object.fromEntries((saved?.["widgets"] as StoredWidget[]).map(({ id, place }) => [id, place]));
    expect(places["g"]).toMatchObject({ x: 0, w: 6 });
    expect(places["g"]?.y).toBeGreaterThan(0);
    expect(places["t"]).toEqual({ x: 6, y: 0, w: 6, h: 8 });
    expect((saved?.["widgets"] as StoredWidget[]).find(({ id }) => id === "x")).toMatchObject({ kind: "globe" });
    expect(document.querySelector("[data-handle]")).toBeNull();
  });

  it("asks before it replaces what somebody else has saved", async () => {
    const changed = { ...DASHBOARD, updated: "2026-01-31T13:00:00Z" };
    let times = 0;
    const { wrapper, bodies } = await open({ "GET /api/v1/dashboards": () => [times++ === 0 ? DASHBOARD : changed] }, "/dashboards/d1?edit=1");
    await press(wrapper, "g", "Delete");
    await click("Save");
    expect(words()).toContain("Somebody has saved this dashboard");
    expect(bodies("PATCH", "dashboards/d1")).toHaveLength(0);
    await click("Save all the same");
    expect(bodies("PATCH", "dashboards/d1")).toHaveLength(1);
  });

  it("asks before changes are lost", async () => {
    const { wrapper, router } = await open({}, "/dashboards/d1?edit=1");
    await press(wrapper, "g", "Delete");
    await router.push("/explore");
    expect(router.currentRoute.value.name).toBe("dashboard");
    expect(words()).toContain("Leave without saving?");
    expect(await accessibilityFaults()).toEqual([]);
    await click("Leave without saving");
    expect(router.currentRoute.value.name).toBe("explore");
  });

  it("asks, too, before one steps back out of the editing", async () => {
    const { wrapper, router } = await open({}, "/dashboards/d1?edit=1");
    await press(wrapper, "g", "Delete");
    await router.push("/dashboards/d1");
    expect(words()).toContain("Leave without saving?");
    await click("Save and leave");
    await flushPromises();
    expect(router.currentRoute.value.query["edit"]).toBeUndefined();
    expect(words()).not.toContain("By source");
  });

  it("goes back to what was saved when the changes are cancelled", async () => {
    const { wrapper } = await open({}, "/dashboards/d1?edit=1");
    await press(wrapper, "t", "Delete");
    expect(words()).not.toContain("Largest");
    await click("Cancel");
    await click("Discard");
    expect(words()).toContain("Largest");
  });

  it("gets a new widget", async () => {
    const { bodies } = await open({}, "/dashboards/d1?edit=1");
    button("Add widget").click();
    await flushPromises();
    [...document.querySelectorAll<HTMLElement>("[role=menuitem]")].find((item) => item.textContent?.includes("Note"))?.click();
    await flushPromises();
    const field = document.querySelector<HTMLTextAreaElement>("dialog textarea");
    if (field) field.value = "Hello";
    field?.dispatchEvent(new Event("input"));
    expect(await accessibilityFaults()).toEqual([]);
    document.querySelector<HTMLFormElement>("#widget-form")?.dispatchEvent(new Event("submit"));
    await flushPromises();
    await click("Save");
    const widgets = bodies("PATCH", "dashboards/d1")[0]?.["widgets"] as StoredWidget[];
    expect(widgets.find((one) => one.kind === "note" && one.id !== "m")).toMatchObject({ exploration: { v: 1, text: "Hello" } });
  });

  it("cannot be changed by a viewer if others own it, but copied", async () => {
    const { bodies } = await open(
      { "GET /api/v1/session": VIEWER, "GET /api/v1/dashboards": [{ ...DASHBOARD, own: false, shared: true }] },
      "/dashboards/d1?edit=1",
    );
    expect(document.querySelector("[data-handle]")).toBeNull();
    await click("Duplicate");
    expect(bodies("POST", "dashboards")[0]).toMatchObject({ name: "Transit (copy)", shared: false });
  });

  it("that is not there says so", async () => {
    await open({ "GET /api/v1/dashboards": [] });
    expect(words()).toContain("There is no such dashboard");
  });
});

describe("the list of dashboards", () => {
  async function list(answers: Answers = {}) {
    const asked = answer({ ...usual, ...answers });
    await useSession().reload();
    document.body.innerHTML = '<div id="page-actions"></div>';
    const { router } = await mountPart(DashboardsPage, { path: "/dashboards" });
    await flushPromises();
    return { router, asked };
  }

  it("has one's own and those of others", async () => {
    await list({ "GET /api/v1/dashboards": [DASHBOARD, { ...DASHBOARD, id: "d9", name: "Peers", owner: "bob", own: false, shared: true }] });
    expect(words()).toMatch(/Yours.*Transit.*Shared by others.*Peers.*bob/);
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("begins with a template", async () => {
    const { router, asked } = await list({ "GET /api/v1/dashboards": [] });
    await click("Make the first one");
    expect(await accessibilityFaults()).toEqual([]);
    [...document.querySelectorAll<HTMLElement>("dialog button")].find((one) => one.textContent?.includes("Interfaces"))?.click();
    await flushPromises();
    expect(asked.find((one) => one.method === "POST")?.body).toMatchObject({ name: "Interfaces", shared: false });
    expect(router.currentRoute.value.params["id"]).toBe("d2");
  });

  it("asks before one is removed", async () => {
    const { asked } = await list();
    await click("More for Transit");
    await click("Remove…");
    await click("Remove");
    expect(asked.some((one) => one.method === "DELETE" && one.path === "/api/v1/dashboards/d1")).toBe(true);
  });
});

describe("adding an exploration to a dashboard", () => {
  it("puts it where there is room, and keeps the others", async () => {
    const asked = answer(usual);
    await useSession().reload();
    const { wrapper } = await mountPart(AddToDashboard, { props: { exploration: exploration({ kind: "bars" }), title: "Top" } });
    expect(await accessibilityFaults()).toEqual([]);
    document.querySelector<HTMLFormElement>("#add-to-dashboard")?.dispatchEvent(new Event("submit"));
    await flushPromises();
    const body = asked.find((one) => one.method === "PATCH")?.body as { widgets: StoredWidget[] };
    expect(body.widgets.filter(({ kind }) => kind !== "page")).toHaveLength(WIDGETS.length + 1);
    expect(body.widgets.find(({ title }) => title === "Top")).toMatchObject({ kind: "top", place: { x: 0, y: 11 } });
    expect(wrapper.emitted("close")).toHaveLength(1);
  });
});
