import { describe, expect, it } from "vitest";
import { saidIn } from "@/composables/useHealth";

const said = (report: unknown) => saidIn(report).map(({ part, tone, text, at }) => [part, tone, text, at]);

describe("what the collector says of itself", () => {
  it("begins with the worst, and ends with what is over", () => {
    const components = {
      receive: { status: "ok", reasons: [], notes: ["Anybody may send."], last_error: "address in use", last_error_at: "2026-01-01T12:00:00Z" },
      names: { status: "degraded", reasons: ["a name server does not answer"], notes: [] },
      writer: { status: "failed", reasons: ["flows wait: disk full"], last_error: "disk full", last_error_at: "2026-01-01T12:00:00Z" },
    };
    expect(said({ status: "failed", components })).toEqual([
      ["writer", "failed", "flows wait: disk full", null],
      ["names", "degraded", "a name server does not answer", null],
      ["receive", "note", "Anybody may send.", null],
      ["receive", "past", "address in use", "2026-01-01T12:00:00Z"],
    ]);
  });

  it("is nothing where it says nothing that is understood", () => {
    for (const report of [null, 7, [], {}, { components: null }, { components: { receive: null, writer: { reasons: "x", notes: [1, ""] } } }]) {
      expect(said(report)).toEqual([]);
    }
  });
});
