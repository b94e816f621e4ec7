import { flushPromises } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { h, nextTick, shallowRef } from "vue";
import { ApiError, UNREACHABLE } from "@/api/problem";
import CopyButton from "@/components/CopyButton.vue";
import Dialog from "@/components/Dialog.vue";
import EmptyState from "@/components/EmptyState.vue";
import ErrorState from "@/components/ErrorState.vue";
import ExportMenu from "@/components/ExportMenu.vue";
import LoadingState from "@/components/LoadingState.vue";
import Menu from "@/components/Menu.vue";
import Panel from "@/components/Panel.vue";
import StatTile from "@/components/StatTile.vue";
import ToastHost from "@/components/ToastHost.vue";
import UnitPicker from "@/components/UnitPicker.vue";
import { useToasts } from "@/composables/useToasts";
import { accessibilityFaults, mountPart } from "@/testing/mount";

const text = (): string => document.body.textContent?.replaceAll(/\s+/g, " ").trim() ?? "";

describe("states", () => {
  it("an empty state says so and offers what to do", async () => {
    await mountPart(EmptyState, { props: { title: "No flows match" }, slots: { actions: "<button>Widen</button>" } });
    expect(text()).toContain("No flows match");
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("an error speaks in the server's words and can be tried again", async () => {
    const error = new ApiError({ title: "Bad filter", status: 400, detail: "unknown column 'SrcAsn'" });
    const { wrapper } = await mountPart(ErrorState, { props: { error } });
    expect(text()).toContain("Bad filterunknown column 'SrcAsn'");

    await wrapper.get("button").trigger("click");

    expect(wrapper.emitted("retry")).toHaveLength(1);
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("loading is told to screen readers", async () => {
    const { wrapper } = await mountPart(LoadingState, { props: { label: "Loading flows" } });
    expect(wrapper.get("[role=status]").attributes("aria-label")).toBe("Loading flows");
  });
});

describe("a panel", () => {
  const question = (state: string, answer: unknown, error: unknown = null, old: number | null = null) => ({
    old: shallowRef(old),
    answer: shallowRef(answer),
    error: shallowRef(error),
    loading: shallowRef(state === "loading" || state === "stale"),
    state: shallowRef(state),
    took: shallowRef(0),
    refresh: vi.fn(),
  });
  const show = (q: object) =>
    mountPart(Panel, {
      props: { title: "Top", question: q },
      slots: { default: ({ answer }: { answer: string }) => h("p", `answer: ${answer}`) },
    });

  it.each([
    [question("loading", null), "Loading"],
    [question("empty", []), "No flows match"],
    [question("ready", "one"), "answer: one"],
    [question("stale", "old"), "answer: old"],
    [question("error", null, new Error("no store")), "no store"],
    [question("ready", "old", new Error("no store"), Date.UTC(2026, 0, 31, 12)), "As of 12:00:00 UTC: no store"],
    [question("ready", "old", new Error("no store"), Date.UTC(2026, 0, 31, 12)), "answer: old"],
    [question("ready", "old", new ApiError(UNREACHABLE), Date.UTC(2026, 0, 31, 12)), "the server does not answer; trying again"],
  ])("shows its question's state", async (q, words) => {
    await show(q);
    expect(text()).toContain(words);
    expect(await accessibilityFaults()).toEqual([]);
  });
});

describe("tiles and small controls", () => {
  it("a tile with a target is a link", async () => {
    const { wrapper } = await mountPart(StatTile, {
      props: { label: "Flows/s", value: "1.2 k", detail: "now", to: { name: "explore" } },
    });
    expect(wrapper.get("a").attributes("href")).toBe("/explore");
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("a unit is chosen by its name", async () => {
    const { wrapper } = await mountPart(UnitPicker, { props: { modelValue: "bits/s" } });
    await wrapper.get("select").setValue("packets/s");
    expect(wrapper.emitted("update:modelValue")).toEqual([["packets/s"]]);
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("copies and says so", async () => {
    const writeText = vi.fn().mockResolvedValue(undefined);
    vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText } });
    const { wrapper } = await mountPart(CopyButton, { props: { text: "SELECT 1", label: "Copy SQL" } });

    await wrapper.get("button").trigger("click");
    await flushPromises();

    expect(writeText).toHaveBeenCalledWith("SELECT 1");
    expect(wrapper.get("[role=status]").text()).toBe("Copied");
  });

  it("shows messages until they are dismissed", async () => {
    const { wrapper } = await mountPart(ToastHost);
    useToasts().fail(new Error("it broke"));
    await nextTick();
    expect(wrapper.get("[role=alert]").text()).toBe("it broke");

    await wrapper.get("button").trigger("click");

    expect(wrapper.find("[role=alert]").exists()).toBe(false);
  });
});

describe("a menu", () => {
  const run = vi.fn();
  const items = [
    { label: "CSV", run },
    { label: "Parquet", run: vi.fn(), disabled: true },
    { label: "JSON lines", run: vi.fn() },
  ];
  const key = (name: string) =>
    document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));

  beforeEach(() => run.mockClear());

  it("opens, moves by arrows, runs what is chosen and gives the focus back", async () => {
    const { wrapper } = await mountPart(ExportMenu, { props: { items } });
    const trigger = wrapper.get("button");
    expect(trigger.attributes("aria-expanded")).toBe("false");
    await trigger.trigger("click");
    await flushPromises();
    expect(document.activeElement?.textContent).toContain("CSV");
    expect(await accessibilityFaults()).toEqual([]);

    key("ArrowDown");
    expect(document.activeElement?.textContent).toContain("JSON lines");
    key("Home");
    (document.activeElement as HTMLElement).click();
    await nextTick();

    expect(run).toHaveBeenCalledOnce();
    expect(wrapper.find("[role=menu]").exists()).toBe(false);
    expect(document.activeElement).toBe(trigger.element);
  });

  it("closes by Escape and by a click elsewhere", async () => {
    const { wrapper } = await mountPart(Menu, {
      props: { items, label: "Things" },
      slots: { trigger: ({ toggle }: { toggle: () => void }) => h("button", { onClick: toggle }, "Open") },
    });
    for (const close of [() => key("Escape"), () => document.body.dispatchEvent(new Event("pointerdown", { bubbles: true }))]) {
      await wrapper.get("button").trigger("click");
      await flushPromises();
      expect(wrapper.find("[role=menu]").exists()).toBe(true);
      close();
      await nextTick();
      expect(wrapper.find("[role=menu]").exists()).toBe(false);
    }
  });
});

describe("a dialog", () => {
  it("is modal, has a name, and asks to be closed", async () => {
    const { wrapper } = await mountPart(Dialog, { props: { title: "Save filter" }, slots: { default: "<p>Body</p>" } });
    const dialog = document.querySelector("dialog")!;
    expect(dialog.open).toBe(true);
    expect(document.getElementById(dialog.getAttribute("aria-labelledby")!)?.textContent).toBe("Save filter");
    expect(await accessibilityFaults()).toEqual([]);

    dialog.querySelector<HTMLElement>("[aria-label=Close]")!.click();
    dialog.dispatchEvent(new Event("cancel", { cancelable: true }));

    expect(wrapper.emitted("close")).toHaveLength(2);
  });
});
