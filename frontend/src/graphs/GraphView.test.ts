import { flushPromises } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { GraphAnswer } from "@/graphs/answers";
import GraphView from "@/graphs/GraphView.vue";
import { at, heatmap, series, top } from "@/graphs/testing/answers";
import { accessibilityFaults, answer, COLUMNS, mountPart } from "@/testing/mount";
import { soon } from "@/testing/soon";

type Listener = (event: Record<string, unknown>) => void;
const listeners = new Map<string, Listener>();
const actions: Record<string, unknown>[] = [];
/** One pixel is a second of the range of the answers. */
const SECOND = 1000;
vi.mock("@/charts/echarts", () => ({
  init: () => ({
    setOption: () => {},
    on: (name: string, listener: Listener) => listeners.set(name, listener),
    dispatchAction: (action: Record<string, unknown>) => actions.push(action),
    containPixel: (_: unknown, [x]: number[]) => (x ?? -1) >= 0 && (x ?? -1) <= 240,
    convertFromPixel: (_: unknown, [x]: number[]) => [Date.parse(at(0)) + (x ?? 0) * SECOND, 0],
    resize: () => {},
    dispose: () => {},
  }),
}));

const SERIES: GraphAnswer = { shape: "series", data: series() };

async function graph(props: Record<string, unknown> = {}) {
  answer({ "GET /api/v1/columns": COLUMNS });
  const { wrapper } = await mountPart(GraphView, { props: { kind: "stacked", answer: SERIES, ...props } });
  await soon(() => expect(listeners.has("click")).toBe(true));
  return wrapper;
}

beforeEach(() => {
  listeners.clear();
  actions.length = 0;
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(private readonly callback: (entries: unknown[]) => void) {}
      observe() {
        this.callback([{ contentRect: { width: 300, height: 200 } }]);
      }
      disconnect() {}
    },
  );
  HTMLElement.prototype.setPointerCapture = () => {};
});

describe("a graph", () => {
  it("has a name and a table for who does not see it", async () => {
    const wrapper = await graph();
    expect(wrapper.get("figcaption").text()).toContain("Stacked graph of IP bit/s");
    expect(wrapper.get("figcaption").text()).toContain("the largest: AS1 One");
    expect(wrapper.findAll("tbody tr").map((one) => one.get("th").text())).toEqual(["AS1 One", "AS2 Two", "Other"]);
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("says over which series the pointer is, once", async () => {
    const wrapper = await graph();
    listeners.get("mouseover")!({ seriesIndex: 1 });
    listeners.get("mouseover")!({ seriesIndex: 1 });
    listeners.get("mouseout")!({});
    expect(wrapper.emitted("hover")).toEqual([['+["AS2 Two"]'], [null]]);
  });

  it("says what was clicked, and where", async () => {
    const wrapper = await graph({ kind: "bars", answer: { shape: "top", data: top() } });
    await wrapper.get("[data-graph]").trigger("pointerup", { clientX: 7, clientY: 9 });
    listeners.get("click")!({ seriesIndex: 0, dataIndex: 1 });
    expect(wrapper.emitted("select")?.[0]).toMatchObject([{ name: "AS2 Two" }, { x: 7, y: 9 }]);
  });

  it("lets a series stand out that is looked at elsewhere", async () => {
    const wrapper = await graph();
    await wrapper.setProps({ highlight: '+["AS2 Two"]' });
    expect(actions.at(-1)).toEqual({ type: "highlight", seriesIndex: 1 });
    await wrapper.setProps({ highlight: null });
    expect(actions.at(-1)).toEqual({ type: "downplay" });
  });

  async function drag(wrapper: Awaited<ReturnType<typeof graph>>, from: number, to: number) {
    const host = wrapper.get("[data-graph]");
    const pointer = (clientX: number) => ({ clientX, clientY: 50, pointerId: 1, button: 0 });
    await host.trigger("pointerdown", pointer(from));
    await host.trigger("pointermove", pointer(to));
    const box = wrapper.find(".bg-accent\\/15").exists();
    await host.trigger("pointerup", pointer(to));
    return box;
  }

  it("gives the whole buckets that were dragged over", async () => {
    const wrapper = await graph();
    expect(await drag(wrapper, 70, 130)).toBe(true);
    expect(wrapper.emitted("brush")).toEqual([["2026-01-31T12:01:00.000Z", "2026-01-31T12:03:00.000Z"]]);
    listeners.get("click")!({ seriesIndex: 1 });
    expect(wrapper.emitted("select")).toBeUndefined();
  });

  it("goes to the edge when dragged out of the drawing", async () => {
    const wrapper = await graph();
    await drag(wrapper, 130, 290);
    expect(wrapper.emitted("brush")).toEqual([["2026-01-31T12:02:00.000Z", "2026-01-31T12:04:00.000Z"]]);
  });

  it("takes a small movement for a click, and Escape for a change of mind", async () => {
    const wrapper = await graph();
    expect(await drag(wrapper, 70, 73)).toBe(false);
    const host = wrapper.get("[data-graph]");
    await host.trigger("pointerdown", { clientX: 70, clientY: 50, pointerId: 1, button: 0 });
    await host.trigger("pointermove", { clientX: 150, clientY: 50, pointerId: 1 });
    dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
    await host.trigger("pointerup", { clientX: 150, clientY: 50, pointerId: 1 });
    expect(wrapper.emitted("brush")).toBeUndefined();
  });

  it("has no range to choose where there is no time", async () => {
    const wrapper = await graph({ kind: "bars", answer: { shape: "top", data: top() } });
    expect(await drag(wrapper, 70, 130)).toBe(false);
  });

  it("leads out of a range by a double click", async () => {
    const wrapper = await graph();
    await wrapper.get("[data-graph]").trigger("dblclick");
    expect(wrapper.emitted("zoomOut")).toHaveLength(1);
  });

  it("has a legend where no table stands below", async () => {
    const wrapper = await graph({ legend: true });
    const names = wrapper.findAll("ul button");
    expect(names.map((one) => one.text())).toEqual(["AS1 One", "AS2 Two", "Other"]);
    await names[1]!.trigger("mouseenter");
    expect(actions.at(-1)).toEqual({ type: "highlight", seriesIndex: 1 });
    await names[1]!.trigger("click");
    expect(wrapper.emitted("select")?.[0]).toMatchObject([{ name: "AS2 Two" }, {}]);
  });

  it("draws what is there while another answer is awaited", async () => {
    const wrapper = await graph({ kind: "sankey" });
    expect(wrapper.get("figcaption").text()).toContain("Stacked");
    await wrapper.setProps({ kind: "heatmap", answer: { shape: "heatmap", data: heatmap() } });
    await flushPromises();
    expect(wrapper.get("figcaption").text()).toContain("Heatmap");
  });
});
