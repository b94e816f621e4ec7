import { describe, expect, it } from "vitest";
import { colorsOf } from "@/graphs/colors";

const palette = ["a", "b", "c", "d", "e"];

describe("colours of labels", () => {
  it("do not depend on the order of the labels", () => {
    const labels = ["one", "two", "three", "four"];
    expect(colorsOf(labels, palette)).toEqual(colorsOf([...labels].reverse(), palette));
  });

  it("are not shared while there are free ones", () => {
    expect(new Set(colorsOf(["1", "2", "3", "4", "5"], palette).values()).size).toBe(5);
  });

  it("begin again when there are more labels than colours", () => {
    const colors = [...colorsOf(["1", "2", "3", "4", "5", "6", "7"], palette).values()];
    expect(colors.every((color) => palette.includes(color))).toBe(true);
  });

  it("are the same with a label alone as among others it does not meet", () => {
    const alone = colorsOf(["AS15169 Google"], palette).get("AS15169 Google");
    expect(colorsOf(["AS15169 Google", "AS15169 Google"], palette).get("AS15169 Google")).toBe(alone);
  });
});
