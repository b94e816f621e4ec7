import { describe, expect, it } from "vitest";
import { DEFAULTS, exploration, explorationQuery, parseExploration, storedExploration, type Exploration } from "./exploration";
import type { LocationQuery } from "vue-router";

const everything: Exploration = {
  kind: "heatmap",
  dimensions: ["SrcAS", "InIfProvider"],
  across: ["DstPort"],
  filter: "InIfBoundary = external AND InIfProvider = \"cogent\" -- a, comment",
  from: "2026-01-31T12:00:00Z",
  to: "yesterday",
  unit: "in-%",
  limit: 25,
  limitBy: "p95",
  points: 400,
  interval: 300,
  bidirectional: true,
  previous: "4-weeks",
  truncateV4: 0,
  truncateV6: 48,
  spread: true,
  plausible: true,
};

function roundTrip(e: Exploration): Exploration {
  return parseExploration(explorationQuery(e) as LocationQuery);
}

describe("the address of an exploration", () => {
  it("says everything", () => {
    expect(roundTrip(everything)).toEqual(everything);
  });

  it("leaves out what is the default", () => {
    expect(explorationQuery(exploration())).toEqual({ v: "1" });
    expect(roundTrip(exploration())).toEqual(DEFAULTS);
  });

  it("is readable", () => {
    const e = exploration({ kind: "lines", dimensions: ["SrcAS", "DstAS"], filter: "Proto = tcp", limit: 5 });
    expect(explorationQuery(e)).toEqual({ v: "1", graph: "lines", by: "SrcAS,DstAS", filter: "Proto = tcp", limit: "5" });
  });

  it("tells no dimension from the usual one", () => {
    expect(roundTrip(exploration({ dimensions: [] })).dimensions).toEqual([]);
  });

  it("passes over what is unknown or out of bounds", () => {
    const e = parseExploration({
      graph: "pie", by: "SrcAS,<script>,SrcAS,", limit: "1e9", points: "-3", interval: "0", v4: "99", unit: "furlongs", new: "1",
    });
    expect(e).toEqual({ ...DEFAULTS, truncateV4: 32, interval: 1 });
  });

  it("takes the first of repeated names", () => {
    expect(parseExploration({ graph: ["lines", "grid"], filter: null }).kind).toBe("lines");
  });
});

describe("a stored exploration", () => {
  it("comes back as it was", () => {
    expect(storedExploration(JSON.parse(JSON.stringify(everything)))).toEqual(everything);
  });

  it.each([null, 7, "text", [], { kind: 5, dimensions: "x y", limit: {} }])("is the usual one if it is %j", (stored) => {
    expect(storedExploration(stored)).toEqual({ ...DEFAULTS, dimensions: expect.any(Array) as string[] });
  });
});
