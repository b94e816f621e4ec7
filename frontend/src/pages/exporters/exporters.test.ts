import { describe, expect, it } from "vitest";
import { listCodec, matching, sortOf, sortText, worstLoss } from "@/pages/exporters/list";
import { loadOf, matchingInterfaces } from "@/pages/exporters/load";
import { badness, needsAttention, severityCounts } from "@/pages/exporters/problems";
import { EXPORTER, INTERFACE, problem } from "@/pages/exporters/testing/exporter";
import { conditions } from "@/pages/exporters/useExplorations";
import {
  ageWords,
  bindingWords,
  fieldLength,
  fieldName,
  lossWords,
  protocolName,
  rateWords,
  recordLength,
  samplingSummary,
  skewWords,
} from "@/pages/exporters/wording";

const plain = (text: string): string => text.replaceAll(/[\u00a0\u202f]/g, " ");

describe("what exporters tell", () => {
  it("is said in words", () => {
    expect([protocolName("netflow-v9"), protocolName("new-v1")]).toEqual(["NetFlow v9", "new-v1"]);
    expect([rateWords(1), rateWords(1000)].map(plain)).toEqual(["every packet", "1 in 1 000"]);
    expect([bindingWords("domain", 0), bindingWords("selector", 7)]).toEqual(["the whole domain", "selector 7"]);
    expect([skewWords(0.3), skewWords(400), skewWords(-7200)].map(plain)).toEqual(["in step", "6 min ahead", "2 h behind"]);
    expect([lossWords(0), lossWords(0.0123)].map(plain)).toEqual(["none", "1.2 %"]);
    expect(plain(ageWords({ last_seen: "2026-01-01T00:00:00Z", age_seconds: 90 }))).toBe("1 min ago");
  });

  const sampled = (rate: number, source: "options" | "sample" = "options") =>
    ({ protocol: "ipfix", domain: 0, binding: "domain", id: 0, rate, source }) as const;

  it("sampling is what it announces, else what is configured, else unknown", () => {
    const words = (sampling: ReturnType<typeof sampled>[], configured: number | null): string[] => {
      const { rate, known } = samplingSummary({ sampling, configured_sampling_rate: configured });
      return [plain(rate), known];
    };
    expect(words([sampled(1000)], 100)).toEqual(["1 in 1 000", "announced in options"]);
    expect(words([sampled(2048, "sample"), sampled(512)], null)).toEqual([
      "1 in 512 to 2 048",
      "told with each sample, announced in options",
    ]);
    expect(words([], 100)).toEqual(["1 in 100", "configured"]);
    expect(words([], null)).toEqual(["–", "not told"]);
  });

  it("fields of templates have names, lengths and a record that they make", () => {
    const field = { element: 8, enterprise: 0, name: "sourceIPv4Address", length: 4, scope: false };
    const unknown = { ...field, name: "", element: 9, enterprise: 9999, length: 65_535 };
    expect([fieldName(field), fieldName(unknown)]).toEqual(["sourceIPv4Address", "enterprise 9999, element 9"]);
    expect([fieldLength(4), fieldLength(65_535)].map(plain)).toEqual(["4 B", "variable"]);
    expect([recordLength([field, field]), recordLength([field, unknown])].map(plain)).toEqual(["8 B", "5 B or more"]);
  });
});

describe("problems", () => {
  const problems = [problem("warning"), problem("error"), problem("warning"), problem("info")];

  it("are counted by severity, the worst first", () => {
    expect(severityCounts(problems).map(({ words }) => words)).toEqual(["1 error", "2 warnings", "1 hint"]);
    expect(severityCounts([])).toEqual([]);
  });

  it("one error is worse than many warnings, and hints need nobody", () => {
    expect(badness([problem("error")])).toBeGreaterThan(badness(Array.from({ length: 20 }, () => problem("warning"))));
    expect([needsAttention([problem("info")]), needsAttention(problems)]).toEqual([false, true]);
  });
});

describe("the list of exporters", () => {
  const well = { ...EXPORTER, address: "192.0.2.9", name: "core9", problems: [problem("info")], lost_share: 0 };

  it("finds by name, address, site, protocol and problem", () => {
    const found = (text: string, attention = false): string[] => matching([EXPORTER, well], text, attention).map(({ name }) => name);
    expect(found("")).toEqual(["edge1", "core9"]);
    expect(found("192.0.2.9")).toEqual(["core9"]);
    expect(found("IPFIX clock")).toEqual(["edge1"]);
    expect(found("", true)).toEqual(["edge1"]);
  });

  it("keeps its order in the address", () => {
    expect([sortOf("-bits"), sortOf("name"), sortOf("b$d"), sortOf("")]).toEqual([
      { key: "bits", descending: true },
      { key: "name", descending: false },
      null,
      null,
    ]);
    expect(sortText(sortOf("-bits"))).toBe("-bits");
    expect(listCodec.serialise(listCodec.parse({ q: "x", attention: "1" }))).toMatchObject({ q: "x", attention: "1" });
  });

  it("names the worst loss, if there is any", () => {
    expect([worstLoss([well, EXPORTER])?.name, worstLoss([well])]).toEqual(["edge1", null]);
  });
});

describe("interfaces", () => {
  it("are loaded in per cent of their speed, if that is known", () => {
    expect([loadOf(INTERFACE, "in"), loadOf(INTERFACE, "out")]).toEqual([90, 1]);
    expect(loadOf({ ...INTERFACE, speed_mbps: 0 }, "in")).toBeNull();
  });

  it("are found by every word", () => {
    expect(matchingInterfaces([INTERFACE], "transit ae1")).toHaveLength(1);
    expect(matchingInterfaces([INTERFACE], "transit ae2")).toHaveLength(0);
  });

  it("lead to their flows", () => {
    expect(conditions("192.0.2.1", 7, "out")).toEqual([
      { column: "ExporterAddress", value: "192.0.2.1" },
      { column: "OutIf", value: 7 },
    ]);
    expect(conditions("192.0.2.1")).toHaveLength(1);
  });
});
