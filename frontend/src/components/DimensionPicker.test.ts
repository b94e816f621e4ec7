import { flushPromises } from "@vue/test-utils";
import { beforeEach, describe, expect, it } from "vitest";
import DimensionPicker from "@/components/DimensionPicker.vue";
import { rankColumns } from "@/composables/rankColumns";
import { moveItem } from "@/composables/useSortable";
import { accessibilityFaults, answer, COLUMNS, mountPart } from "@/testing/mount";

describe("dimensions", () => {
  let asked: ReturnType<typeof answer>;
  beforeEach(() => {
    asked = answer({ "GET /api/v1/columns": COLUMNS });
  });

  async function picker(chosen: string[], max = 8) {
    const { wrapper } = await mountPart(DimensionPicker, {
      props: {
        modelValue: chosen,
        max,
        "onUpdate:modelValue": (value: string[]) => wrapper.setProps({ modelValue: value } as never),
      },
    });
    await flushPromises();
    return wrapper;
  }
  const names = (wrapper: Awaited<ReturnType<typeof picker>>) => wrapper.findAll("[data-name]").map((chip) => chip.text());

  it("are added by search", async () => {
    const wrapper = await picker(["SrcAS"]);
    expect(asked.length).toBeLessThanOrEqual(1);

    await wrapper.get("input").trigger("focus");
    await wrapper.get("input").setValue("port");
    expect(wrapper.findAll("[role=option]").map((option) => option.text())).toEqual(["Destination portDstPort"]);
    expect(await accessibilityFaults()).toEqual([]);
    await wrapper.get("input").trigger("keydown", { key: "Enter" });

    expect(names(wrapper)).toEqual(["Source AS", "Destination port"]);
  });

  it("are not added by Enter in an empty field, before anything was chosen", async () => {
    const wrapper = await picker(["SrcAS"]);
    const input = wrapper.get("input");
    await input.trigger("focus");
    await input.trigger("keydown", { key: "Enter" });
    expect(names(wrapper)).toEqual(["Source AS"]);

    await input.trigger("keydown", { key: "ArrowDown" });
    expect(wrapper.findAll("[role=option]")[0]!.attributes("aria-selected")).toBe("true");
    await input.trigger("keydown", { key: "Enter" });
    expect(names(wrapper)).toHaveLength(2);
  });

  it("are ordered and removed by keyboard, and this is said", async () => {
    const wrapper = await picker(["SrcAS", "DstAS", "Proto"]);
    await wrapper.findAll("[data-name]")[2]!.trigger("keydown", { key: "ArrowLeft", altKey: true });
    await flushPromises();
    expect(names(wrapper)).toEqual(["Source AS", "Protocol", "Destination AS"]);
    expect(wrapper.get("[aria-live]").text()).toBe("Protocol is now at place 2 of 3");
    expect(document.activeElement?.textContent).toContain("Protocol");

    await wrapper.findAll("[data-name]")[0]!.trigger("keydown", { key: "Delete" });
    expect(names(wrapper)).toEqual(["Protocol", "Destination AS"]);
  });

  it("are at most so many", async () => {
    const wrapper = await picker(["SrcAS", "DstAS"], 2);
    expect(wrapper.find("input").exists()).toBe(false);
  });
});

describe("helpers", () => {
  it("ranks columns by how well they match", () => {
    const columns = COLUMNS as unknown as Parameters<typeof rankColumns>[0];
    expect(rankColumns(columns, "dst").map(({ name }) => name)).toEqual(["DstAS", "DstPort"]);
    expect(rankColumns(columns, "routing source").map(({ name }) => name)).toEqual(["SrcAS"]);
    expect(rankColumns(columns, "source as")[0]?.name).toBe("SrcAS");
    expect(rankColumns(columns, "nothing")).toEqual([]);
  });

  it("moves an item", () => {
    expect(moveItem(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
    expect(moveItem(["a", "b", "c"], 2, -5)).toEqual(["c", "a", "b"]);
    expect(moveItem(["a"], 7, 0)).toEqual(["a"]);
  });
});
