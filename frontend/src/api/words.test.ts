/** Every closed set of words in the document of the API is known to the console: a new one, or a new word, fails here. */
import { describe, expect, it } from "vitest";
import document from "../../openapi.json";
import { KINDS } from "@/components/filter/theme";
import { UNIT_WORDS } from "@/format";
import { CALENDAR, calendarWords, type CalendarUnit } from "@/graphs/buckets";
import { LIMIT_WORDS } from "@/graphs/exploration";
import { PERIOD_NAMES } from "@/graphs/timeline";
import { DATA_FORMATS } from "@/pages/explore/exports";
import { LOOKS } from "@/pages/exporters/problems";
import { BINDING_WORDS, PROTOCOL_NAMES, SOURCE_WORDS } from "@/pages/exporters/wording";
import { EXPORT_FORMATS } from "@/pages/flows/exportFlows";
import { HEALTH_WORDS } from "@/pages/settings/about";
import { ROLE_WORDS } from "@/pages/settings/roles";
import { LOGIN_WORDS } from "@/pages/settings/users";

const labels = (formats: readonly { format: string; label: string }[]) => Object.fromEntries(formats.map(({ format, label }) => [format, label]));

/** What the console says for the words of a set, by where it is. */
const WORDS: Record<string, Readonly<Record<string, unknown>>> = {
  "Condition.status": HEALTH_WORDS,
  "ExporterProblem.severity": LOOKS,
  "FilterPart.kind": { ...Object.fromEntries(KINDS.map((kind) => [kind, "a colour"])), name: "a colour", error: "a colour", punctuation: "ink" },
  "InterfaceView.boundary": { external: "external", internal: "internal", undefined: "–" },
  "Previous.period": PERIOD_NAMES,
  "SamplingView.binding": BINDING_WORDS,
  "SamplingView.protocol": PROTOCOL_NAMES,
  "SamplingView.source": SOURCE_WORDS,
  "Series.interval": Object.fromEntries(CALENDAR.map((unit: CalendarUnit) => [unit, calendarWords({ moment: () => "2026-01-31 12:00" }, 0, unit)])),
  "SeriesQuestion.limit_by": LIMIT_WORDS,
  "SeriesQuestion.unit": UNIT_WORDS,
  "UserView.role": ROLE_WORDS,
  "UserView.source": LOGIN_WORDS,
  "/api/v1/flows/export": labels(EXPORT_FORMATS),
  "/api/v1/flows/table": labels(DATA_FORMATS),
};

/** Sets whose words nobody is shown, and why. */
const UNSHOWN: Record<string, string> = {
  "ColumnView.display": "says how values are written (formatValue)",
  "ColumnView.kind": "is of the store",
  "CompletionView.what": "is a class of the list",
  "LoginMethod.kind": "methods have labels of their own",
  "LoginMethods.mode": "decides what is shown",
  "SessionView.via": "decides what is shown",
};

/** Every set: where it is, and its words. */
function sets(value: unknown, path: readonly string[] = []): { place: string; words: string[] }[] {
  if (typeof value !== "object" || value === null) return [];
  const inner = Object.entries(value).flatMap(([name, one]) => (name === "enum" ? [] : sets(one, [...path, name])));
  const words = (value as { enum?: unknown }).enum;
  if (!Array.isArray(words)) return inner;
  const schema = /^components\/schemas\/(\w+)\/properties\/(\w+)/.exec(path.join("/"));
  const place = schema ? `${schema[1]}.${schema[2]}` : (path[1] ?? "");
  return [...inner, { place, words: words.map(String) }];
}

const found = sets(document);
/** One set is used in several places: it is the same by its words. */
const same = (a: readonly string[], b: readonly string[]): boolean => [...a].sort().join() === [...b].sort().join();
const known = found.filter(({ place }) => place in WORDS || place in UNSHOWN);

describe("sets of words of the API", () => {
  it("are found in its document", () => {
    expect(found.length).toBeGreaterThan(30);
    // What is listed above is there.
    for (const place of [...Object.keys(WORDS), ...Object.keys(UNSHOWN)]) expect(found.map((one) => one.place), place).toContain(place);
  });

  it.each(found.map((one) => [one.place, one.words] as const))("are known: %s", (place, words) => {
    expect(known.some((one) => same(one.words, words)), `${place} (${words.join()}): say its words in the console, and list them here`).toBe(true);
  });

  it.each(found.filter(({ place }) => place in WORDS).map((one) => [one.place, one.words] as const))("have words each: %s", (place, words) => {
    for (const word of words) {
      const said = WORDS[place]?.[word];
      expect(Boolean(said), `${place}: ${word}`).toBe(true);
    }
  });
});

describe("words of what an exporter tells", () => {
  it("are sentences for people", () => {
    expect(Object.entries(BINDING_WORDS).map(([, words]) => words(7))).toEqual([
      "the whole domain", "selector 7", "interface 7", "line card 7", "template 7", "each record", "data source 7",
    ]);
    expect(SOURCE_WORDS.record).toBe("told by each record");
    expect(PROTOCOL_NAMES["netflow-v1"]).toBe("NetFlow v1");
  });
});
