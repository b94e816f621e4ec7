import { describe, expect, it } from "vitest";
import { bucketWords, calendarWords, wholeEnd } from "@/graphs/buckets";
import { coveredWords, figuresNote, figuresOf } from "@/graphs/covered";
import { formatTime } from "@/format";
import { series } from "@/graphs/testing/answers";
import { zoneMark } from "@/time/zone";

const utc = { utc: true, moment: (ms: number) => formatTime(ms, true, "minute"), zone: (ms: number) => zoneMark(ms, true) };
const at = (text: string): number => Date.parse(`${text}Z`);

describe("buckets", () => {
  it.each([
    ["2026-03-29T00:00", "day", "2026-03-30T00:00"],
    ["2026-03-23T00:00", "week", "2026-03-30T00:00"],
    ["2026-02-01T00:00", "month", "2026-03-01T00:00"],
    ["2024-01-01T00:00", "year", "2025-01-01T00:00"],
    // One that the range cuts ends where the whole one does.
    ["2026-02-10T12:00", "month", "2026-03-01T00:00"],
    ["2026-02-10T12:00", "seconds", "2026-02-10T12:05"],
  ])("from %s of a %s end at %s", (start, interval, end) => {
    expect(wholeEnd(at(start), interval, 300, true)).toBe(at(end));
  });

  it("are named by what they are, if they are whole", () => {
    expect(bucketWords(utc, at("2026-03-29T00:00"), at("2026-03-30T00:00"), "day")).toBe("2026-03-29");
    expect(bucketWords(utc, at("2026-03-23T00:00"), at("2026-03-30T00:00"), "week")).toBe("week of 2026-03-23");
    expect(bucketWords(utc, at("2026-02-01T00:00"), at("2026-03-01T00:00"), "month")).toBe("2026-02");
    expect(bucketWords(utc, at("2026-03-29T00:00"), at("2026-03-29T11:00"), "day")).toBe("2026-03-29 00:00 – 11:00 UTC");
    expect(bucketWords(utc, at("2026-03-29T00:00"), at("2026-03-29T00:05"), "seconds")).toBe("2026-03-29 00:00 – 00:05 UTC");
    expect(calendarWords(utc, at("2026-01-01T00:00"), "year")).toBe("2026");
  });

  it("say the zone twice where the clocks change between", () => {
    const marks = { ...utc, zone: (ms: number) => (ms < at("2026-03-29T01:00") ? "UTC+1" : "UTC+2") };
    expect(bucketWords(marks, at("2026-03-29T00:00"), at("2026-03-29T06:00"), "seconds")).toBe("2026-03-29 00:00 UTC+1 – 2026-03-29 06:00 UTC+2");
  });
});

describe("what a range has data for", () => {
  const range = (start: number, end: number): string => `${formatTime(start, true, "date")} – ${formatTime(end, true, "date")}`;
  const ten = {
    asked_start: "2016-01-31T12:00:00Z", start: "2016-01-31T12:00:00Z", asked_end: "2026-01-31T12:00:00Z", end: "2026-01-31T12:00:00Z",
  };

  it("is said where it is less than was asked for", () => {
    const data = series({ ...ten, covered_start: "2026-01-29T12:00:00Z", covered_end: "2026-01-31T12:00:00Z" });
    expect(coveredWords({ shape: "series", data }, range)).toMatch(/^Of this range there are data for 2026-01-29 – 2026-01-31; averages/);
  });

  it("is not worth a word where it is all of it, or nothing", () => {
    expect(coveredWords({ shape: "series", data: series() }, range)).toBe("");
    const none = series({ ...ten, covered_start: ten.end, covered_end: ten.end });
    expect(coveredWords({ shape: "series", data: none }, range)).toBe("");
  });
});

describe("figures", () => {
  it.each([
    [300, "5-minute averages"],
    [60, "1-minute averages"],
    [3600, "1-hour averages"],
    [86_400, "1-day averages"],
    [10, "10-second averages"],
    [1, "1-second averages"],
  ])("of %i seconds are %s", (seconds, words) => {
    expect(figuresOf(series({ figures_seconds: seconds }))).toBe(words);
    expect(figuresNote(series({ figures_seconds: seconds }))).toContain(words);
  });
});
