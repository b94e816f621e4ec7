import { describe, expect, it } from "vitest";
import { tcpFlags, typeOfService } from "@/pages/flows/codes";
import { amountWords, endOf, fieldsOf, groupsOf, lengthWords, stateWords } from "@/pages/flows/record";
import { columnOf, COLUMNS, FLOW } from "@/pages/flows/testing";
import { flowValue, isBlank, isUnknown, shownValue } from "@/pages/flows/values";

describe("a value of a flow", () => {
  it.each([
    ["SrcAddr", "::"],
    ["SrcAS", 0],
    ["SrcPort", 0],
    ["InIf", 0],
    ["DstASPath", []],
    ["SrcCountry", ""],
    ["FlowDirection", "undefined"],
    ["Bytes", null],
  ])("%s = %j is unknown", (name, value) => {
    expect(isUnknown(columnOf(name), value)).toBe(true);
    expect(shownValue(columnOf(name), value, true)).toEqual({ text: "–", raw: "" });
  });

  it("may be zero and known, yet say nothing", () => {
    expect(isUnknown(columnOf("IPTos"), 0)).toBe(false);
    expect(isBlank(columnOf("IPTos"), 0)).toBe(true);
    expect(isBlank(columnOf("SrcPort"), 443)).toBe(false);
  });

  it.each([
    ["Proto", { text: "TCP", raw: "6" }],
    ["EType", { text: "IPv6", raw: "0x86dd" }],
    ["TCPFlags", { text: "SYN ACK", raw: "0x12" }],
    ["SrcPort", { text: "443 https", raw: "" }],
    ["SrcAS", { text: "AS64500 Example", raw: "" }],
    ["Bytes", { text: "1.50\u00a0kB", raw: "1\u202f500" }],
    ["Packets", { text: "3", raw: "" }],
    ["SamplingRate", { text: "1\u202f000", raw: "" }],
    ["SrcCountry", { text: "🇫🇷 France", raw: "FR" }],
    ["TimeReceived", { text: "2026-01-31 12:00:05.250", raw: "" }],
  ])("%s has a name, and what is stored where the name hides it", (name, shown) => {
    expect(flowValue(columnOf(name), FLOW, true)).toEqual(shown);
  });
});

describe("codes", () => {
  it("are flags and classes of service by name", () => {
    expect(tcpFlags(0x02)).toBe("SYN");
    expect(tcpFlags(0x18)).toBe("PSH ACK");
    expect(tcpFlags(0)).toBe("");
    expect(typeOfService(46 << 2)).toBe("EF");
    expect(typeOfService((10 << 2) | 3)).toBe("AF11, CE");
    expect(typeOfService(3 << 2)).toBe("DSCP 3");
  });
});

describe("all fields of a flow", () => {
  const fields = fieldsOf(COLUMNS, { ...FLOW, NewColumn: "x" }, { Proto: "tcp (6)", SrcAS: "AS64500 By Label" }, true);

  it("stand under their groups, what says nothing left out unless wanted", () => {
    const names = groupsOf(fields, false).map(({ name }) => name);
    expect(names).toEqual(["Flow", "Exporter", "Addresses", "Routing", "Geography", "Interfaces", "Packet headers", "Other"]);
    const shown = groupsOf(fields, false).flatMap((group) => group.fields.map(({ column }) => column.name));
    expect(shown).not.toContain("InIfSpeed");
    expect(shown).not.toContain("FlowDirection");
    expect(groupsOf(fields, true).flatMap((group) => group.fields)).toHaveLength(fields.length);
  });

  it("have the names that the server knows, and those of columns that are new", () => {
    const text = (name: string) => fields.find(({ column }) => column.name === name)?.text;
    expect(text("SrcAS")).toBe("AS64500 By Label");
    expect(text("NewColumn")).toBe("x");
  });
});

describe("a flow in words", () => {
  it("says both ends", () => {
    expect(endOf(FLOW, "Src")).toBe("192.0.2.1:443");
    expect(endOf(FLOW, "Dst")).toBe("[2001:db8::1]:50000");
    expect(endOf({ SrcAddr: "192.0.2.1", SrcPort: 0 }, "Src")).toBe("192.0.2.1");
    expect(endOf({ SrcAddr: "::" }, "Src")).toBe("unknown");
  });

  it("says how much was counted and what it stands for", () => {
    expect(amountWords(FLOW)).toBe("1.50\u00a0kB in 3 packets, sampled 1 in 1\u202f000: about 1.50\u00a0MB in 3\u202f000 packets");
    expect(amountWords({ ...FLOW, Packets: 1, SamplingRate: 1 })).toBe("1.50\u00a0kB in 1 packet");
    expect(amountWords({ ...FLOW, SamplingRateSource: "unknown" })).toContain("unknown");
  });

  it("says how long it lasted, where that is known", () => {
    expect(lengthWords(FLOW)).toBe("over 4.5\u00a0s");
    expect(lengthWords({ TimeFlowStart: null, TimeFlowEnd: null })).toBe("");
    expect(stateWords({ TCPFlags: 1, FlowEndReason: 3 })).toBe("FIN · end of flow");
  });
});
