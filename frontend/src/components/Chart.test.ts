import { flushPromises } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import Chart from "@/components/Chart.vue";
import { accessibilityFaults, mountPart } from "@/testing/mount";
import { soon } from "@/testing/soon";

type Listener = (event: unknown) => void;

const listeners = new Map<string, Listener>();
const drawn: Record<string, unknown>[] = [];
const manners: unknown[] = [];
const made = {
  setOption(option: Record<string, unknown>, manner: unknown) {
    drawn.push(option);
    manners.push(manner);
  },
  on: (name: string, listener: Listener) => listeners.set(name, listener),
  dispatchAction: vi.fn(),
  resize: vi.fn(),
  dispose: vi.fn(),
};
vi.mock("@/charts/echarts", () => ({ init: () => made }));

describe("a chart", () => {
  let resize: (width: number, height: number) => void;

  beforeEach(() => {
    drawn.length = manners.length = 0;
    made.dispatchAction.mockClear();
    vi.stubGlobal(
      "ResizeObserver",
      class {
        constructor(callback: (entries: unknown[]) => void) {
          resize = (width, height) => callback([{ contentRect: { width, height } }]);
        }
        observe() {}
        disconnect() {}
      },
    );
  });

  async function bareChart(props: Record<string, unknown> = {}) {
    const { wrapper } = await mountPart(Chart, {
      props: {
        label: "Traffic by AS",
        option: ({ width }: { width: number }) => ({ series: [{ type: "line" }], wide: width > 500 }),
        table: () => ({ columns: ["AS", "Average"], rows: [["AS64500", "1 Mbit/s"]] }),
        ...props,
      },
    });
    await soon(() => expect(listeners.size).toBeGreaterThan(0));
    return wrapper;
  }

  async function chart(props: Record<string, unknown> = {}) {
    const wrapper = await bareChart(props);
    resize(800, 300);
    await flushPromises();
    return wrapper;
  }

  it("draws for its size, and again when that changes", async () => {
    await chart();
    resize(300, 300);
    await flushPromises();

    expect(drawn.map((option) => option["wide"])).toEqual([true, false]);
    expect(drawn[0]!["color"]).toHaveLength(14);
  });

  it("asks nothing of a drawing that is not drawn yet", async () => {
    const { highlight, ...shown } = (await bareChart()).vm as unknown as { highlight: (target: object) => void; chart: unknown };
    highlight({ seriesIndex: 0 });
    expect(shown.chart).toBeNull();
    expect(made.dispatchAction).not.toHaveBeenCalled();

    resize(800, 300);
    await flushPromises();
    highlight({ seriesIndex: 0 });
    expect(made.dispatchAction).toHaveBeenLastCalledWith({ type: "highlight", seriesIndex: 0 });
    // ECharts fails on a highlight between a lazy option and its drawing.
    expect(manners).toEqual([{ notMerge: true }]);
  });

  it("has a name and a table of the same", async () => {
    const wrapper = await chart();
    expect(wrapper.get("figcaption").text()).toBe("Traffic by AS");
    expect(wrapper.get("tbody").text()).toContain("AS645001 Mbit/s");
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("tells what is looked at and clicked", async () => {
    const wrapper = await chart();
    listeners.get("mouseover")!({ seriesName: "AS64500", seriesIndex: 1, dataIndex: 5 });
    listeners.get("mouseout")!({});
    listeners.get("click")!({ name: "node", dataType: "node" });

    expect(wrapper.emitted("hover")).toMatchObject([[{ seriesName: "AS64500", seriesIndex: 1 }], [null]]);
    expect(wrapper.emitted("select")).toMatchObject([[{ name: "node", dataType: "node" }]]);
  });

  it("goes with its page", async () => {
    (await chart()).unmount();
    expect(made.dispose).toHaveBeenCalled();
  });
});
