import { flushPromises } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import TimeRangePicker from "@/components/TimeRangePicker.vue";
import { accessibilityFaults, mountPart } from "@/testing/mount";

describe("the time range", () => {
  beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2026, 0, 31, 12), toFake: ["Date", "setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  async function picker(range = { from: "now-6h", to: "now" }, props: Record<string, unknown> = {}) {
    const { wrapper } = await mountPart(TimeRangePicker, { props: { modelValue: range, ...props } });
    const button = (name: string) => wrapper.get(`[aria-label="${name}"]`);
    return { wrapper, button, changes: () => wrapper.emitted("update:modelValue") };
  }

  it("is named, and keeps the words of a preset", async () => {
    const { wrapper, changes } = await picker();
    expect(wrapper.get("[aria-haspopup=dialog]").text()).toBe("Last 6 hours UTC");

    await wrapper.get("[aria-haspopup=dialog]").trigger("click");
    vi.useRealTimers();
    expect(await accessibilityFaults()).toEqual([]);
    await wrapper.findAll("li button").find((item) => item.text() === "Yesterday")!.trigger("click");

    expect(changes()).toEqual([[{ from: "yesterday", to: "today" }]]);
  });

  it("takes words, and says what is wrong with them", async () => {
    const { wrapper, changes } = await picker();
    await wrapper.get("[aria-haspopup=dialog]").trigger("click");
    const [from] = wrapper.findAll("input[type=text]");

    await from!.setValue("the other day");
    expect(wrapper.get("[aria-live]").text()).toContain("“the other day” is no time");
    expect(wrapper.get("[type=submit]").attributes("disabled")).toBeDefined();

    await from!.setValue("2 hours ago");
    await wrapper.get("form").trigger("submit");
    expect(changes()).toEqual([[{ from: "2 hours ago", to: "now" }]]);
    expect(wrapper.find("[role=dialog]").exists()).toBe(false);
  });

  it("moves and widens", async () => {
    const { button, changes } = await picker();
    expect(button("Later").attributes("disabled")).toBeDefined();
    await button("Earlier").trigger("click");
    await button("Zoom out").trigger("click");

    expect(changes()).toEqual([
      [{ from: "2026-01-31T03:00:00Z", to: "2026-01-31T09:00:00Z" }],
      [{ from: "2026-01-31T00:00:00Z", to: "2026-01-31T12:00:00Z" }],
    ]);
  });

  it("asks again by itself while the range ends now", async () => {
    const { wrapper } = await picker(undefined, { refresh: 5 });
    await vi.advanceTimersByTimeAsync(11_000);
    expect(wrapper.emitted("refreshNow")).toHaveLength(2);

    await wrapper.setProps({ modelValue: { from: "yesterday", to: "today" } } as never);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(wrapper.emitted("refreshNow")).toHaveLength(2);
    await flushPromises();
  });
});
