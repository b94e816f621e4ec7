import { describe, expect, it } from "vitest";
import { COLUMNS, compact, freePlace, grow, inReadingOrder, nudge, overlap, put, swapInOrder, within, type Placed } from "@/pages/dashboards/layout";

const box = (id: string, x: number, y: number, w: number, h: number): Placed => ({ id, place: { x, y, w, h } });
const at = (items: readonly Placed[], id: string) => {
  const place = items.find((item) => item.id === id)?.place;
  return place ? [place.x, place.y, place.w, place.h] : null;
};
const PAIR = [box("a", 0, 0, 6, 4), box("b", 6, 0, 6, 4)];
const STACK = [box("a", 0, 0, 6, 4), box("b", 0, 4, 6, 4)];

/** A small generator, so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}
function holds(items: readonly Placed[]): void {
  for (const [i, { place }] of items.entries()) {
    expect(place.x).toBeGreaterThanOrEqual(0);
    expect(place.y).toBeGreaterThanOrEqual(0);
    expect(place.x + place.w).toBeLessThanOrEqual(COLUMNS);
    for (const other of items.slice(i + 1)) expect(overlap(place, other.place), JSON.stringify(items)).toBe(false);
  }
}

describe("the grid", () => {
  it("leaves no hole above what could rise", () => {
    expect(at(compact([box("a", 0, 3, 4, 2), box("b", 0, 9, 4, 2)]), "b")).toEqual([0, 2, 4, 2]);
  });

  it("separates what lies over one another", () => {
    const items = compact([box("a", 0, 0, 6, 4), box("b", 2, 1, 6, 4)]);
    expect(at(items, "a")).toEqual([0, 0, 6, 4]);
    expect(at(items, "b")).toEqual([2, 4, 6, 4]);
  });

  it("keeps what is put into it within its columns", () => {
    expect(within({ x: 11, y: -3, w: 40, h: 0 })).toEqual({ x: 0, y: 0, w: 12, h: 1 });
    expect(within({ x: 11, y: 2, w: 1, h: 1 }, { w: 3, h: 4 })).toEqual({ x: 9, y: 2, w: 3, h: 4 });
    expect(within({ x: 0.4, y: 0, w: 2.6, h: 3 })).toEqual({ x: 0, y: 0, w: 3, h: 3 });
  });

  it("makes way below for what comes from above", () => {
    const items = put(PAIR, "b", { x: 3, y: 0, w: 6, h: 4 });
    expect(at(items, "b")).toEqual([3, 0, 6, 4]);
    expect(at(items, "a")).toEqual([0, 4, 6, 4]);
  });

  it("lets what is passed on the way down rise", () => {
    const items = put(STACK, "a", { x: 0, y: 4, w: 6, h: 4 });
    expect(at(items, "b")).toEqual([0, 0, 6, 4]);
    expect(at(items, "a")).toEqual([0, 4, 6, 4]);
  });

  it("moves by keyboard as far as something changes", () => {
    expect(at(nudge(STACK, "a", 0, 1), "a")).toEqual([0, 4, 6, 4]);
    expect(at(nudge(STACK, "b", 0, -1), "b")).toEqual([0, 0, 6, 4]);
    expect(at(nudge(STACK, "a", 1, 0), "a")).toEqual([1, 0, 6, 4]);
    expect(nudge(STACK, "a", -1, 0)).toBe(STACK);
    expect(nudge(STACK, "a", 0, -1)).toBe(STACK);
    expect(nudge(STACK, "nobody", 0, 1)).toBe(STACK);
  });

  it("sizes by keyboard within the columns, not below the least", () => {
    expect(at(grow(PAIR, "a", 1, 0), "a")).toEqual([0, 0, 7, 4]);
    expect(at(grow(PAIR, "a", 1, 0), "b")).toEqual([6, 4, 6, 4]);
    expect(grow(PAIR, "b", 1, 0)).toBe(PAIR);
    expect(grow(PAIR, "a", 0, -1, { w: 3, h: 4 })).toBe(PAIR);
  });

  it("changes places in one column", () => {
    const order = (items: readonly Placed[]) => inReadingOrder(items).map(({ id }) => id);
    expect(order(swapInOrder(PAIR, "b", -1))).toEqual(["b", "a"]);
    expect(order(swapInOrder(STACK, "a", 1))).toEqual(["b", "a"]);
    expect(swapInOrder(STACK, "a", -1)).toBe(STACK);
  });

  it("finds the first free place", () => {
    expect(freePlace([], { w: 4, h: 2 })).toEqual({ x: 0, y: 0, w: 4, h: 2 });
    expect(freePlace([box("a", 0, 0, 6, 4)], { w: 6, h: 8 })).toEqual({ x: 6, y: 0, w: 6, h: 8 });
    expect(freePlace(PAIR, { w: 3, h: 2 })).toEqual({ x: 0, y: 4, w: 3, h: 2 });
  });

  it("never lets two lie over one another, whatever is done", () => {
    const next = random(7);
    const whole = (most: number) => Math.floor(next() * most);
    for (let round = 0; round < 40; round++) {
      let items: readonly Placed[] = compact(
        Array.from({ length: 2 + whole(8) }, (_, i) => box(`w${i}`, whole(6), whole(12), 1 + whole(6), 1 + whole(6))),
      );
      for (let turn = 0; turn < 12; turn++) {
        const id = `w${whole(items.length)}`;
        items = put(items, id, { x: whole(20) - 4, y: whole(20) - 4, w: 1 + whole(14), h: 1 + whole(8) });
        items = nudge(items, id, whole(3) - 1, whole(3) - 1);
        holds(items);
      }
    }
  });
});
