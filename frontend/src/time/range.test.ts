import { describe, expect, it } from "vitest";
import { parseMoment } from "@/time/natural";
import {
  askedRange,
  describeRange,
  endsNow,
  fixedRange,
  PRESETS,
  resolveRange,
  shiftRange,
  zoomOutRange,
} from "@/time/range";

const NOW = Date.UTC(2026, 0, 31, 14, 30, 20);
const HOUR = 3_600_000;

describe("a range in words", () => {
  it("is two moments", () => {
    expect(resolveRange({ from: "now-6h", to: "now" }, NOW).span).toEqual({ start: NOW - 6 * HOUR, end: NOW });
  });

  it.each([
    [{ from: "sometime", to: "now" }, "“sometime” is no time"],
    [{ from: "now-1h", to: "later" }, "“later” is no time"],
    [{ from: "now", to: "now-1h" }, "ends before it starts"],
    [{ from: "now+1h", to: "now+2h" }, "in the future"],
  ])("says what is wrong with %o", (range, words) => {
    const { span, problem } = resolveRange(range, NOW);
    expect(span).toBeNull();
    expect(problem).toContain(words);
  });

  it.each(PRESETS.map((preset) => [preset.label, preset] as const))("has the preset %s", (label, preset) => {
    expect(resolveRange(preset, NOW, true).problem).toBeNull();
    expect(describeRange(preset, NOW)).toBe(label);
  });

  it("leaves an end that is now to the server", () => {
    expect(askedRange({ start: NOW - HOUR, end: NOW }, NOW)).toEqual({ start: "2026-01-31T13:30:20Z" });
    expect(askedRange({ start: NOW - HOUR, end: NOW - 1500 }, NOW).end).toBe("2026-01-31T14:30:18Z");
  });

  it("knows whether it moves", () => {
    expect(endsNow({ from: "now-6h", to: " Now " })).toBe(true);
    expect(endsNow({ from: "now-6h", to: "now-1h" })).toBe(false);
  });
});

describe("moving a range", () => {
  const span = { start: NOW - 4 * HOUR, end: NOW - 2 * HOUR };
  const read = (range: { from: string; to: string }) => ({
    start: parseMoment(range.from, NOW, true),
    end: parseMoment(range.to, NOW, true),
  });

  it("keeps its length and stops at now", () => {
    expect(read(shiftRange(span, -0.5, NOW))).toEqual({ start: NOW - 5 * HOUR, end: NOW - 3 * HOUR });
    expect(read(shiftRange(span, 0.5, NOW))).toEqual({ start: NOW - 3 * HOUR, end: NOW - HOUR });
    expect(read(shiftRange(span, 5, NOW))).toEqual({ start: NOW - 2 * HOUR, end: NOW });
  });

  it("doubles around its middle", () => {
    expect(read(zoomOutRange(span, NOW))).toEqual({ start: NOW - 5 * HOUR, end: NOW - HOUR });
    expect(read(zoomOutRange({ start: NOW - HOUR, end: NOW }, NOW))).toEqual({ start: NOW - 2 * HOUR, end: NOW });
  });

  it("names fixed ranges by their moments", () => {
    expect(describeRange(fixedRange(span), NOW, true)).toBe("2026-01-31 10:30 – 12:30");
    expect(describeRange({ from: "monday", to: "now" }, NOW, true)).toBe("monday to now");
  });
});
