import { describe, expect, it } from "vitest";
import {
  flagOf,
  formatAgo,
  formatAs,
  formatBytes,
  formatCount,
  formatCountry,
  formatDuration,
  formatEthertype,
  formatNumber,
  formatPercent,
  formatPort,
  formatProtocol,
  formatRange,
  formatShare,
  formatTime,
  formatTotal,
  formatUnit,
  formatValue,
} from "@/format";

/** Non-breaking spaces are meant; the eye of a test reads plain ones. */
const plain = (text: string): string => text.replaceAll(/[\u00a0\u202f]/g, " ");

describe("numbers", () => {
  it.each([
    [0, "0"],
    [1204, "1 204"],
    [1234567.8, "1 234 568"],
    [0.125, "0.125"],
    [NaN, "–"],
  ])("writes %s as %s", (value, text) => expect(plain(formatNumber(value))).toBe(text));

  it.each([
    [0, "0 bit/s"],
    [1, "1 bit/s"],
    [12.345, "12.3 bit/s"],
    [999.4, "999 bit/s"],
    [999.6, "1.00 kbit/s"],
    [1_234_000_000, "1.23 Gbit/s"],
    [-98_700_000, "−98.7 Mbit/s"],
    [4.2e21, "4200 Ebit/s"],
    [Infinity, "–"],
  ])("writes %s bits per second as %s", (value, text) => expect(plain(formatUnit(value, "bits/s"))).toBe(text));

  it("writes each unit", () => {
    expect(plain(formatUnit(45_600, "packets/s"))).toBe("45.6 kpps");
    expect(plain(formatUnit(1200, "flows/s"))).toBe("1.20 k flows/s");
    expect(plain(formatUnit(12, "flows/s"))).toBe("12 flows/s");
    expect(plain(formatUnit(56.78, "in-%"))).toBe("56.8 %");
    expect(plain(formatUnit(1.5e12, "bytes"))).toBe("1.50 TB");
    expect(plain(formatTotal(1.5e12, "l2-bits/s"))).toBe("1.50 TB");
    expect(plain(formatTotal(1.5e6, "packets/s"))).toBe("1.50 M packets");
  });

  it("writes shares, counts and bytes", () => {
    expect(plain(formatShare(0.1234))).toBe("12.3 %");
    expect(plain(formatPercent(0.01))).toBe("< 0.1 %");
    expect(plain(formatPercent(100))).toBe("100 %");
    expect(plain(formatCount(12_345))).toBe("12.3 k");
    expect(plain(formatCount(7))).toBe("7");
    expect(plain(formatBytes(1500))).toBe("1.50 kB");
  });
});

describe("times", () => {
  const moment = Date.UTC(2026, 0, 31, 12, 0, 5, 70);

  it("writes a moment in UTC", () => {
    expect(formatTime(moment, true)).toBe("2026-01-31 12:00:05");
    expect(formatTime("2026-01-31T12:00:05.070Z", true, "millisecond")).toBe("2026-01-31 12:00:05.070");
    expect(formatTime(moment, true, "minute")).toBe("2026-01-31 12:00");
    expect(formatTime(moment, true, "clock")).toBe("12:00:05");
    expect(formatTime("nonsense", true)).toBe("–");
  });

  it("says the day of a range once", () => {
    expect(formatRange(moment, moment + 3_600_000, true)).toBe("2026-01-31 12:00 – 13:00");
    expect(formatRange(moment, moment + 86_400_000, true)).toBe("2026-01-31 12:00 – 2026-02-01 12:00");
  });

  it.each([
    [0, "0 s"],
    [0.0123, "12.3 ms"],
    [1.5, "1.5 s"],
    [59, "59 s"],
    [7500, "2 h 5 min"],
    [3605, "1 h"],
    [86_400 * 3 + 3600 * 4 + 5, "3 d 4 h"],
    [-90, "−1 min 30 s"],
  ])("writes %s seconds as %s", (seconds, text) => expect(plain(formatDuration(seconds))).toBe(text));

  it("says how long ago", () => {
    expect(plain(formatAgo(moment, moment + 200_000))).toBe("3 min ago");
    expect(plain(formatAgo(moment, moment + 200))).toBe("just now");
    expect(plain(formatAgo(moment + 300_000, moment))).toBe("in 5 min");
  });
});

describe("names", () => {
  it("names numbers", () => {
    expect(formatProtocol(6)).toBe("TCP");
    expect(formatProtocol(253)).toBe("253");
    expect(formatPort(443)).toBe("443 https");
    expect(formatEthertype(0x86dd)).toBe("IPv6");
    expect(formatEthertype(0x88f7)).toBe("0x88f7");
    expect(formatAs(64500, "Example")).toBe("AS64500 Example");
    expect(formatAs(0)).toBe("unknown AS");
  });

  it("names countries by flag and name", () => {
    expect(flagOf("fr")).toBe("🇫🇷");
    expect(formatCountry("FR")).toBe("🇫🇷 France");
    expect(formatCountry("Atlantis")).toBe("Atlantis");
  });
});

describe("values of columns", () => {
  const cases: [string, string, Parameters<typeof formatValue>[1], string][] = [
    ["SrcAS", "as", 64500, "AS64500"],
    ["DstPort", "port", 53, "53 domain"],
    ["Proto", "protocol", 17, "UDP"],
    ["EType", "ethertype", 2048, "IPv4"],
    ["SrcNetMask", "prefix-length", 24, "/24"],
    ["SrcCountry", "text", "DE", "🇩🇪 Germany"],
    ["DstCommunities", "community", ["64500:1", "64500:2"], "64500:1 64500:2"],
    ["SrcAddr", "address", "192.0.2.1", "192.0.2.1"],
    ["TimeReceived", "time", "2026-01-31T12:00:05.070Z", "2026-01-31 12:00:05.070"],
    ["Bytes", "bytes", 1500, "1.50 kB"],
    ["SrcAddr", "address", null, "–"],
    ["DstASPath", "as", [], "–"],
  ];
  it.each(cases)("shows %s (%s)", (name, display, value, text) =>
    expect(plain(formatValue({ name, display }, value, true))).toBe(text),
  );

  it("knows in which unit a speed is stored", () => {
    const column = { name: "InIfSpeed", display: "bits", description: "Speed of the input interface in Mbit/s." };
    expect(plain(formatValue(column, 10_000))).toBe("10.0 Gbit/s");
  });
});
