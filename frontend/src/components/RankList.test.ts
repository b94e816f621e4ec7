import { describe, expect, it } from "vitest";
import RankList from "@/components/RankList.vue";
import Sparkline from "@/components/Sparkline.vue";
import { accessibilityFaults, mountPart } from "@/testing/mount";

const ROWS = [
  { key: "1", label: "AS1 One", value: "2 Gbit/s", part: 1, share: "80 %" },
  { key: "2", label: "AS2 Two", value: "1 Gbit/s", part: 0.5, share: "20 %" },
];

describe("a ranking", () => {
  it("tells which row is chosen, and which is left out", async () => {
    const { wrapper } = await mountPart(RankList, { props: { rows: ROWS, label: "Networks" } });
    await wrapper.findAll("button")[0]?.trigger("click");
    await wrapper.get('[aria-label="Exclude AS2 Two"]').trigger("click");
    expect(wrapper.emitted("pick")).toEqual([[ROWS[0]]]);
    expect(wrapper.emitted("exclude")).toEqual([[ROWS[1]]]);
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("is only read if it does not filter", async () => {
    const { wrapper } = await mountPart(RankList, { props: { rows: ROWS, label: "Networks", filters: false } });
    expect(wrapper.findAll("button")).toHaveLength(0);
    expect(await accessibilityFaults()).toEqual([]);
  });
});

describe("a sparkline", () => {
  it("is drawn from two values on, within its box", async () => {
    const { wrapper } = await mountPart(Sparkline, { props: { values: [5] } });
    expect(wrapper.find("svg").exists()).toBe(false);
    await wrapper.setProps({ values: [0, 10, 5] });
    expect(wrapper.get("polyline").attributes("points")).toBe("0.0,23.0 50.0,2.0 100.0,12.5");
  });
});
