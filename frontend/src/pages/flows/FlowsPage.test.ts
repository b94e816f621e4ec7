import { flushPromises, type VueWrapper } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import FlowsPage from "@/pages/flows/FlowsPage.vue";
import { COLUMNS, FLOW } from "@/pages/flows/testing";
import { accessibilityFaults, answer, mountPart, type Answers } from "@/testing/mount";
import { soon } from "@/testing/soon";

// The plain field does the same, and can be typed into here.
vi.mock("@/components/filter/editor", () => {
  throw new Error("the chunk did not load");
});
const saved: { name: string; text: string }[] = [];
vi.mock("@/composables/download", () => ({
  downloadBlob: (blob: Blob, name: string) => void blob.text().then((text) => saved.push({ name, text })),
}));

const ids = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `1000.${from + i}`);
const page = (count: number, cursor: string | null = null, from = 0) => ({
  columns: [],
  flows: ids(count, from).map((_, i) => ({ ...FLOW, SrcPort: from + i + 1 })),
  ids: ids(count, from),
  cursor,
});
const usual: Answers = {
  "GET /api/v1/columns": COLUMNS,
  "GET /api/v1/filters": [],
  "POST /api/v1/filter/check": { ok: true, canonical: "", error: null, tokens: [], columns: [], raw: false },
  "POST /api/v1/flows/search": (body: unknown) => ((body as { cursor?: string }).cursor ? page(50, null, 200) : page(200, "999.1")),
  "GET /api/v1/flows/record/1000.1": { id: "1000.1", columns: FLOW, labels: { Proto: "TCP" } },
  "GET /api/v1/flows/record/1000.2": { id: "1000.2", columns: { ...FLOW, SrcAddr: "192.0.2.77" }, labels: {} },
  "POST /api/v1/filter/combine": { text: "combined" },
};
/** Faults are looked for in a small document: that takes long in a large one. */
const FEW: Answers = { "POST /api/v1/flows/search": page(3) };
const text = (): string => document.body.textContent?.replaceAll(/\s+/g, " ").trim() ?? "";
/** Others may keep the machine busy. */
const button = (name: string): HTMLElement => {
  const found = [...document.querySelectorAll<HTMLElement>("button, [role=menuitem]")].find((one) => one.textContent?.trim().startsWith(name));
  if (!found) throw new Error(`no button ${name}`);
  return found;
};
const press = async (key: string) => {
  document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  await flushPromises();
};

async function mounted(answers: Answers = {}, path = "/flows") {
  const asked = answer({ ...usual, ...answers });
  const { wrapper, router } = await mountPart(FlowsPage, { path });
  await soon(() => expect(wrapper.find("[role=status][aria-label='Searching flows']").exists()).toBe(false));
  await flushPromises();
  return { asked, wrapper, router, rows: () => wrapper.findAll("[data-row]") };
}
const bodies = (asked: { path: string; body: unknown }[], path: string) => asked.filter((one) => one.path === path).map((one) => one.body as Record<string, unknown>);
const open = async (wrapper: VueWrapper, row: number) => {
  await wrapper.get(`[data-row="${row}"]`).trigger("click");
  await soon(() => expect(text()).toContain("Copy as JSON"));
};

beforeEach(() => {
  localStorage.clear();
  saved.length = 0;
  document.body.innerHTML = '<div id="page-actions"></div>';
  vi.stubGlobal("ResizeObserver", class { observe() {} disconnect() {} });
});

describe("the page of flows", () => {
  it("shows the latest flows, only those in sight in the document, and older ones when asked", async () => {
    const { wrapper, rows, asked } = await mounted();
    expect(rows().length).toBeLessThan(80);
    expect(wrapper.get("[role=grid]").attributes("aria-rowcount")).toBe("201");
    expect(text()).toContain("200 flows");

    button("Older flows").click();
    await soon(() => expect(text()).toContain("250 flows"));

    const [first, second] = bodies(asked, "/api/v1/flows/search");
    expect(second).toEqual({ ...first, cursor: "999.1" });
    expect(text()).toContain("These are all of the range.");
  });

  it("has the older ones that were asked for when a silent server is back", async () => {
    let silent = false;
    const told = <T>(value: T): T => {
      if (silent) throw new TypeError("gone");
      return value;
    };
    await mounted({
      "GET /api/v1/session": () => told({}),
      "POST /api/v1/flows/search": (body: unknown) => told((body as { cursor?: string }).cursor ? page(50, null, 200) : page(200, "999.1")),
    });
    silent = true;
    button("Older flows").click();
    await soon(() => expect(text()).toContain("The server does not answer"));
    expect(text()).toContain("200 flows");
    silent = false;
    await soon(() => expect(text()).toContain("250 flows"));
  });

  it("has no faults", async () => {
    await mounted(FEW, "/flows?columns=TimeReceived,SrcAddr,Proto,Bytes");
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("asks for what the address says", async () => {
    const { asked, wrapper } = await mounted({}, "/flows?v=1&filter=Proto+%3D+6&from=2026-01-30T00:00:00Z&to=2026-01-31T00:00:00Z&columns=Proto,Bytes");
    expect(bodies(asked, "/api/v1/flows/search")[0]).toMatchObject({ filter: "Proto = 6", start: "2026-01-30T00:00:00Z", end: "2026-01-31T00:00:00Z" });
    expect(wrapper.findAll("th").map((one) => one.text())).toEqual(["Protocol", "Bytes"]);
  });

  it("narrows to a value, leaves one out, and explores by it", async () => {
    const { wrapper, router, asked } = await mounted();
    await wrapper.get("[data-row='0'] td:nth-child(2) button").trigger("click");
    button("Only 192.0.2.1").click();
    await soon(() => expect(router.currentRoute.value.query["filter"]).toBe("combined"));
    expect(bodies(asked, "/api/v1/filter/combine")[0]).toEqual({ text: "", timezone: "UTC", clauses: [{ column: "SrcAddr", value: "192.0.2.1", exclude: false }] });

    await soon(() => expect(wrapper.find("[data-row='0']").exists()).toBe(true));
    await wrapper.get("[data-row='0'] td:nth-child(2) button").trigger("click");
    button("Explore by Source address").click();
    await flushPromises();
    expect(router.currentRoute.value).toMatchObject({ name: "explore", query: { by: "SrcAddr", filter: "combined", from: "now-1h" } });
  });

  it("is walked through by keys", async () => {
    const { wrapper, router } = await mounted();
    wrapper.get<HTMLElement>("[data-row='0']").element.focus();
    await press("ArrowDown");
    expect((document.activeElement as HTMLElement).dataset["row"]).toBe("1");
    await press("ArrowRight");
    expect(document.activeElement?.tagName).toBe("BUTTON");
    await press("ArrowLeft");
    await press("Enter");
    await flushPromises();
    expect(router.currentRoute.value.query["flow"]).toBe("1000.1");
  });

  it("says why nothing is there and what to do", async () => {
    const { router } = await mounted({ "POST /api/v1/flows/search": page(0) }, "/flows?filter=Proto+%3D+99");
    expect(text()).toContain("No flows match");
    button("Remove the filter").click();
    await flushPromises();
    expect(router.currentRoute.value.query).toEqual({});
  });

  it("shows the server's words if a question fails", async () => {
    const problem = new Response(JSON.stringify({ title: "Bad Request", detail: "unknown column 'SrcPrt'" }), { status: 400 });
    await mounted({ "POST /api/v1/flows/search": () => problem.clone() });
    expect(text()).toContain("unknown column 'SrcPrt'");
  });

  it("remembers the columns that were chosen", async () => {
    const { router, wrapper } = await mounted(FEW);
    button("Columns").click();
    await flushPromises();
    expect(await accessibilityFaults()).toEqual([]);
    const box = [...document.querySelectorAll<HTMLElement>("dialog label")].find((one) => one.textContent?.trim() === "TCP flags")!;
    box.querySelector("input")!.click();
    await flushPromises();
    button("Show these").click();
    await flushPromises();
    expect(router.currentRoute.value.query["columns"]).toMatch(/,TCPFlags$/);
    expect(localStorage.getItem("millrace.flows.columns")).toMatch(/,TCPFlags$/);
    expect(wrapper.findAll("th").at(-1)!.text()).toBe("TCP flags");

    wrapper.unmount();
    const again = await mounted();
    expect(again.router.currentRoute.value.query["columns"]).toMatch(/,TCPFlags$/);
  });
});

describe("a flow", () => {
  it("shows all of its fields, those without a value when wanted", async () => {
    const { wrapper, router } = await mounted(FEW);
    await open(wrapper, 1);
    expect(router.currentRoute.value.query["flow"]).toBe("1000.1");
    expect(text()).toContain("192.0.2.1:443");
    expect(text()).toContain("1.50 kB in 3 packets, sampled 1 in 1 000");
    expect(document.querySelector("dialog")!.textContent).not.toContain("Input interface speed");
    expect(await accessibilityFaults()).toEqual([]);

    document.querySelector<HTMLElement>("dialog input[type=checkbox]")!.click();
    await flushPromises();
    expect(document.querySelector("dialog")!.textContent).toContain("Input interface speed");
  });

  it("closes to the list it was opened from", async () => {
    const { wrapper, router } = await mounted();
    await open(wrapper, 1);
    document.querySelector<HTMLElement>("dialog [aria-label=Close]")!.click();
    await soon(() => expect(document.querySelector("dialog")).toBeNull());
    expect(router.currentRoute.value.query).toEqual({});
    expect((document.activeElement as HTMLElement).dataset["row"]).toBe("1");
    expect(router.options.history.state["position"] ?? 0).toBe(0);
  });

  it("leads to the next one and to its reverse direction", async () => {
    const { wrapper, router, asked } = await mounted();
    await open(wrapper, 1);
    document.querySelector<HTMLElement>("dialog [title^=Older]")!.click();
    await soon(() => expect(text()).toContain("192.0.2.77:443"));

    button("Related flows").click();
    await flushPromises();
    button("The reverse direction").click();
    await soon(() => expect(router.currentRoute.value.query["filter"]).toBe("combined"));
    const clauses = bodies(asked, "/api/v1/filter/combine")[0]!["clauses"];
    expect(clauses).toContainEqual({ column: "DstAddr", value: "192.0.2.77", exclude: false });
    expect(router.currentRoute.value.query).not.toHaveProperty("flow");
  });

  it("may be stored no more", async () => {
    await mounted({}, "/flows?flow=1.1");
    await soon(() => expect(text()).toContain("This flow is not stored any more"));
  });
});

describe("an export", () => {
  it("asks for so many flows of the range and hands out the file", async () => {
    const file = () => new Response("SrcAddr\n192.0.2.1\n", { headers: { "Content-Disposition": 'attachment; filename="flows.csv"' } });
    const { asked } = await mounted({ ...FEW, "POST /api/v1/flows/export": file }, "/flows?filter=Proto+%3D+6&columns=Proto");
    button("Export").click();
    await flushPromises();
    button("CSV").click();
    await flushPromises();
    expect(await accessibilityFaults()).toEqual([]);
    button("1\u202f000").click();
    document.querySelector("#export-form")!.dispatchEvent(new Event("submit", { cancelable: true }));

    await soon(() => expect(saved).toEqual([{ name: "flows.csv", text: "SrcAddr\n192.0.2.1\n" }]));
    expect(bodies(asked, "/api/v1/flows/export")[0]).toMatchObject({ filter: "Proto = 6", columns: ["Proto"], limit: 1000 });
  });

  it("hands out nothing if the connection breaks", async () => {
    const broken = () =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode("SrcAddr\n"));
            controller.error(new TypeError("network error"));
          },
        }),
      );
    await mounted({ ...FEW, "POST /api/v1/flows/export": broken });
    button("Export").click();
    await flushPromises();
    button("CSV").click();
    await flushPromises();
    document.querySelector("#export-form")!.dispatchEvent(new Event("submit", { cancelable: true }));
    await soon(() => expect(text()).toContain("nothing was saved"));
    expect(saved).toEqual([]);
  });
});
