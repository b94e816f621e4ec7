import { describe, expect, it } from "vitest";
import { parseMoment } from "@/time/natural";

/** A Saturday. */
const NOW = Date.UTC(2026, 0, 31, 14, 30, 20);

const at = (text: string): string | null => {
  const ms = parseMoment(text, NOW, true);
  return ms === null ? null : new Date(ms).toISOString().replace(".000Z", "Z");
};

describe("a moment in words", () => {
  it.each([
    ["now", "2026-01-31T14:30:20Z"],
    ["now-6h", "2026-01-31T08:30:20Z"],
    ["NOW - 90 min", "2026-01-31T13:00:20Z"],
    ["now-1d/d", "2026-01-30T00:00:00Z"],
    ["now/h", "2026-01-31T14:00:00Z"],
    ["now-1mo", "2025-12-31T14:30:20Z"],
    ["now-2mo", "2025-11-30T14:30:20Z"],
    ["now-1w+2d", "2026-01-26T14:30:20Z"],
    ["-15m", "2026-01-31T14:15:20Z"],
    ["6 hours ago", "2026-01-31T08:30:20Z"],
    ["6h ago", "2026-01-31T08:30:20Z"],
    ["an hour ago", "2026-01-31T13:30:20Z"],
    ["half an hour ago", "2026-01-31T14:00:20Z"],
    ["1.5 hours ago", "2026-01-31T13:00:20Z"],
    ["1h 30m ago", "2026-01-31T13:00:20Z"],
    ["2 days and 3 hours ago", "2026-01-29T11:30:20Z"],
    ["a month ago", "2025-12-31T14:30:20Z"],
    ["in 5 minutes", "2026-01-31T14:35:20Z"],
    ["today", "2026-01-31T00:00:00Z"],
    ["yesterday", "2026-01-30T00:00:00Z"],
    ["Yesterday at 8:00", "2026-01-30T08:00:00Z"],
    ["yesterday 8pm", "2026-01-30T20:00:00Z"],
    ["yesterday noon", "2026-01-30T12:00:00Z"],
    ["12am", "2026-01-31T00:00:00Z"],
    ["12:15 pm", "2026-01-31T12:15:00Z"],
    ["8:00", "2026-01-31T08:00:00Z"],
    ["monday", "2026-01-26T00:00:00Z"],
    ["last monday 8:00", "2026-01-26T08:00:00Z"],
    ["saturday", "2026-01-31T00:00:00Z"],
    ["last saturday", "2026-01-24T00:00:00Z"],
    ["next tue", "2026-02-03T00:00:00Z"],
    ["this week", "2026-01-26T00:00:00Z"],
    ["last week", "2026-01-19T00:00:00Z"],
    ["this month", "2026-01-01T00:00:00Z"],
    ["last month", "2025-12-01T00:00:00Z"],
    ["last quarter", "2025-10-01T00:00:00Z"],
    ["start of the year", "2026-01-01T00:00:00Z"],
    ["end of day", "2026-02-01T00:00:00Z"],
    ["2026-01-30", "2026-01-30T00:00:00Z"],
    ["2026-01-30 12:15", "2026-01-30T12:15:00Z"],
    ["2026/01/30 12:15:10", "2026-01-30T12:15:10Z"],
    ["2026-01-30T12:15:10Z", "2026-01-30T12:15:10Z"],
    ["2026-01-30T12:15:10+02:00", "2026-01-30T10:15:10Z"],
    ["2026-01-30T12:15", "2026-01-30T12:15:00Z"],
    ["30 Jan 2026 12:00", "2026-01-30T12:00:00Z"],
    ["Jan 30, 2026 12:00", "2026-01-30T12:00:00Z"],
    ["January 5th", "2026-01-05T00:00:00Z"],
    ["24 dec 18:00", "2025-12-24T18:00:00Z"],
    ["1769869820", "2026-01-31T14:30:20Z"],
    ["@1769869820", "2026-01-31T14:30:20Z"],
    ["1769869820000", "2026-01-31T14:30:20Z"],
  ])("reads %s", (text, iso) => expect(at(text)).toBe(iso));

  it.each([
    "",
    "   ",
    "soon",
    "8",
    "25:00",
    "8:60",
    "13pm",
    "2026-02-30",
    "2026-13-01",
    "30 foo 2026",
    "now-6parsecs",
    "6 ago",
    "ago",
    "constructor ago",
    "a constructor ago",
    "1.5 months ago",
    "now-999999y",
    "2026-01-30T25:00:00Z",
    "x".repeat(500),
  ])("refuses %s", (text) => expect(parseMoment(text, NOW, true)).toBeNull());

  it("reads words of the browser's zone in that zone", () => {
    const midnight = new Date(NOW);
    midnight.setHours(0, 0, 0, 0);

    expect(parseMoment("today", NOW)).toBe(midnight.getTime());
    expect(parseMoment("2026-01-30 12:15", NOW)).toBe(new Date(2026, 0, 30, 12, 15).getTime());
  });
});
