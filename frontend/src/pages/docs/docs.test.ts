import { describe, expect, it } from "vitest";
import { bySection } from "@/pages/docs/useDocs";

const entry = (path: string, section: string) => ({ path, section, title: path, excerpt: "", anchor: "" });

describe("pages of the documentation", () => {
  it("stand under their sections, in the order in which they came", () => {
    const groups = bySection([entry("index", ""), entry("a", "Tutorial"), entry("b", "Reference"), entry("c", "Tutorial")]);
    expect(groups.map(({ section, entries }) => [section, entries.map(({ path }) => path)])).toEqual([
      ["", ["index"]],
      ["Tutorial", ["a", "c"]],
      ["Reference", ["b"]],
    ]);
  });
});
