import { describe, expect, it } from "vitest";
import DataTable, { type TableColumn } from "@/components/DataTable.vue";
import { nextSort, sortRows } from "@/components/tableSort";
import { accessibilityFaults, mountPart } from "@/testing/mount";

interface Row {
  as: string;
  rate: number | null;
}
const columns: TableColumn<Row>[] = [
  { key: "as", title: "AS", value: (row) => row.as },
  { key: "rate", title: "Rate", value: (row) => row.rate, text: (row) => `${row.rate} bit/s`, numeric: true },
];
const rows: Row[] = [
  { as: "AS10", rate: 5 },
  { as: "AS9", rate: null },
  { as: "AS2", rate: 7 },
];
const table = (props: Record<string, unknown> = {}) =>
  mountPart(DataTable, { props: { columns, rows, label: "Top AS", rowKey: (row: Row) => row.as, ...props } });

describe("a table", () => {
  it("sorts by a click on a header, largest number first, unknown last, then as it came", async () => {
    const { wrapper } = await table();
    const order = () => wrapper.findAll("tbody tr").map((row) => row.get("td").text());
    const [first, second] = wrapper.findAll("th button");
    expect(order()).toEqual(["AS10", "AS9", "AS2"]);

    await second!.trigger("click");
    expect(order()).toEqual(["AS2", "AS10", "AS9"]);
    expect(wrapper.findAll("th")[1]!.attributes("aria-sort")).toBe("descending");
    await second!.trigger("click");
    expect(order()).toEqual(["AS10", "AS2", "AS9"]);
    await second!.trigger("click");
    expect(order()).toEqual(["AS10", "AS9", "AS2"]);
    await first!.trigger("click");
    expect(order()).toEqual(["AS2", "AS9", "AS10"]);
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("says which row is looked at and shows its colour", async () => {
    const { wrapper } = await table({ swatch: () => "rgb(1, 2, 3)", highlighted: "AS9" });
    await wrapper.findAll("tbody tr")[2]!.trigger("mouseenter");
    await wrapper.get("table").trigger("mouseleave");

    expect(wrapper.emitted("rowHover")).toEqual([
      [rows[2], 2],
      [null, -1],
    ]);
    expect(wrapper.get("td span span").attributes("style")).toContain("rgb(1, 2, 3)");
    expect(wrapper.findAll("tbody tr")[1]!.classes()).toContain("bg-hover");
  });

  it("shows long lists in portions", async () => {
    const many = Array.from({ length: 450 }, (_, index) => ({ as: `AS${index}`, rate: index }));
    const { wrapper } = await table({ rows: many });
    expect(wrapper.findAll("tbody tr")).toHaveLength(200);
    expect(wrapper.text()).toContain("200 of 450 rows");

    await wrapper.findAll("button").at(-1)!.trigger("click");

    expect(wrapper.findAll("tbody tr")).toHaveLength(400);
  });
});

describe("sorting", () => {
  it("compares texts by the numbers in them", () => {
    expect(sortRows(["et10", "et9", "Et1"], (row) => row, false)).toEqual(["Et1", "et9", "et10"]);
  });
  it("starts texts at the first and numbers at the largest", () => {
    expect(nextSort(null, "a", false)).toEqual({ key: "a", descending: false });
    expect(nextSort(null, "a", true)).toEqual({ key: "a", descending: true });
    expect(nextSort({ key: "a", descending: true }, "b", true)).toEqual({ key: "b", descending: true });
  });
});
