import { describe, expect, it } from "vitest";
import type { GraphAnswer } from "@/graphs/answers";
import { exploration, GRAPH_KINDS } from "@/graphs/exploration";
import { KINDS } from "@/graphs/kinds";
import { hintOf, questionOf } from "@/graphs/question";
import { PREVIOUS_ID, type Clause } from "@/graphs/marks";
import { composePicture } from "@/graphs/picture";
import { at, context, heatmap, otherRow, row, sankey, series, top } from "@/graphs/testing/answers";
import { fileStem, headingOf } from "@/pages/explore/exports";
import { intervalWords, movedWords, sourceWords } from "@/pages/explore/readWords";
import { resolutionOf, RESOLUTIONS, resolutionValue } from "@/pages/explore/resolution";
import { resultTable, type ResultTable } from "@/pages/explore/resultRows";
import { explorationPath, viewOf } from "@/pages/explore/saved";
import { laidOut } from "@/pages/explore/sqlLayout";
import { drilled } from "@/pages/explore/useClauses";
import { consistent } from "@/pages/explore/useExploration";

const table = (answer: GraphAnswer): ResultTable =>
  resultTable(answer, { colors: context().colors, title: (column) => `(${column})`, utc: true });
const texts = (given: ResultTable, part: "rows" | "footer" = "rows") =>
  given[part].map((one) => [...one.names.map((name) => name.text), ...given.columns.map((column) => column.text?.(one) ?? column.value(one))]);

describe("the table under a graph", () => {
  it("has the figures of each series, and the total below", () => {
    const given = table({ shape: "series", data: series() });
    expect(given.names).toEqual(["(SrcAS)"]);
    expect(given.columns.map((column) => column.title)).toEqual(["Min", "Max", "Average", "95th", "Last", "Total", "Share"]);
    expect(texts(given)[0]?.map((text) => String(text).replaceAll("\u00a0", " "))).toEqual([
      "AS1 One", "40 bit/s", "70 bit/s", "55 bit/s", "70 bit/s", "70 bit/s", "1.65 kB", "55.0 %",
    ]);
    expect(given.rows.at(-1)?.names).toEqual([{ text: "Other", clause: null }]);
    expect(given.footer.map((one) => one.names[0]?.text)).toEqual(["Total"]);
  });

  it("gives the opposite direction rows of its own, and an earlier period one below", () => {
    const given = table({
      shape: "series",
      data: series({
        reverse: [row("AS1 One", [1, 2, 3, 4]), otherRow([1, 1, 1, 1])],
        previous: { period: "week", start: at(-10080), end: at(-10076), row: row("", [9, 9, 9, 9], { dimensions: [], labels: [] }) },
      }),
    });
    expect(given.columns[0]?.title).toBe("Direction");
    expect(texts(given).map((cells) => cells[1])).toEqual(["→ forward", "→ forward", "→ forward", "← reverse", "← reverse"]);
    expect(given.footer.map((one) => one.mark.id)).toEqual(["total", PREVIOUS_ID]);
    // The filter that leads to a row of the opposite direction names the column as it was asked.
    expect(given.rows[3]?.names[0]?.clause).toEqual({ column: "SrcAS", value: "AS1 One", label: "AS1 One" });
    expect(new Set(given.rows.map((one) => one.mark.id)).size).toBe(5);
  });

  it("has no total of percentages, which do not add up", () => {
    const titles = table({ shape: "series", data: series({ unit: "in-%" }) }).columns.map((column) => column.title);
    expect(titles).not.toContain("Total");
    expect(titles).not.toContain("Share");
  });

  it("has rows of bars, nodes and fields", () => {
    expect(texts(table({ shape: "top", data: top() }), "footer").map((cells) => cells[0])).toEqual(["Other", "Total"]);
    expect(texts(table({ shape: "sankey", data: sankey() })).map((cells) => cells.slice(0, 2))).toEqual([
      ["AS1 One", "(SrcAS)"],
      ["Other", "(SrcAS)"],
      ["cogent", "(InIfProvider)"],
    ]);
    expect(texts(table({ shape: "heatmap", data: heatmap() }))[0]?.at(-1)).toBe("2026-01-31 12:00 UTC");
  });
});

describe("the average of a row of a heatmap", () => {
  const average = (changes: Parameters<typeof heatmap>[0]): unknown =>
    table({ shape: "heatmap", data: heatmap(changes) }).rows[0]?.figures["average"];

  it("is of the part of the range for which there are data", () => {
    expect(average({ covered_start: at(0), covered_end: at(1) })).toBe(100);
    expect(average({ covered_start: at(1), covered_end: at(2) })).toBe(25);
    expect(average({})).toBe(62.5);
  });

  it("counts columns by their length, volumes apart", () => {
    expect(average({ seconds: [60, 15], end: at(1.25), covered_end: at(1.25) })).toBe(85);
    expect(average({ seconds: [60, 15], end: at(1.25), covered_end: at(1.25), unit: "bytes" })).toBe(62.5);
  });
});

describe("what was read", () => {
  const time = (moment: string) => moment.slice(0, 16).replace("T", " ");
  const source = (name: string, minutes: number) => ({ table: name, start: at(minutes), end: at(minutes + 5) });

  it("names the tables and from when on", () => {
    expect(sourceWords([source("flows", 0)], time)).toBe("from single flows");
    expect(sourceWords([source("flows_5m0s", 0), source("flows", 5)], time)).toMatch(/^from rollup of 5.min \+ single flows since 12:05$/);
    expect(sourceWords([source("flows", 0), source("flows_1h0m0s", 1), source("flows_5m0s", 2)], time)).toMatch(
      /^from rollups of 1.h, 5.min \+ single flows at the edges$/,
    );
    expect(sourceWords([], time)).toBe("");
  });

  it("says how the range was moved", () => {
    const moved = (changes: Parameters<typeof series>[0]) => movedWords({ shape: "series", data: series(changes) }, time);
    expect(moved({})).toBe("");
    expect(moved({ asked_start: at(-60) })).toBe("nothing stored before 2026-01-31 12:00");
    expect(moved({ asked_end: "2026-01-31T12:03:10Z" })).toBe("moved outwards to whole intervals");
    expect(moved({ asked_start: at(1), asked_end: at(5) })).toBe("data complete until 2026-01-31 12:04");
    expect(intervalWords({ shape: "series", data: series() })).toMatch(/^intervals of 1.min$/);
    expect(intervalWords({ shape: "top", data: top() })).toBe("");
  });
});

describe("SQL for reading", () => {
  it("has a line for each clause and leaves what is in quotes alone", () => {
    const sql = "SELECT a, 'FROM (x) ''WHERE' AS b FROM (SELECT `GROUP BY` FROM t WHERE x IN (1, 2)) GROUP BY a LIMIT 5";
    expect(laidOut(sql)).toBe(
      ["SELECT a, 'FROM (x) ''WHERE' AS b", "FROM (", "  SELECT `GROUP BY`", "  FROM t", "  WHERE x IN (1, 2)", ")", "GROUP BY a", "LIMIT 5"].join("\n"),
    );
  });

  it("says the same as before", () => {
    const sql = "WITH x AS (SELECT 1) SELECT toDateTime(5, 'UTC') \"from\" FROM x UNION ALL SELECT f(g(2)), '\\'' FROM y";
    expect(laidOut(sql).replaceAll(/\s+/g, "")).toBe(sql.replaceAll(/\s+/g, ""));
  });
});

describe("drilling down", () => {
  const clause = (column: string): Clause => ({ column, value: 1, label: "1" });

  it("puts the new column in the place of what is settled", () => {
    expect(drilled(["SrcAS", "DstPort"], [clause("SrcAS")], "SrcAddr")).toEqual(["SrcAddr", "DstPort"]);
    expect(drilled(["SrcAS", "DstPort"], [clause("DstPort")], "SrcAddr")).toEqual(["SrcAS", "SrcAddr"]);
    expect(drilled(["SrcAS", "DstPort"], [clause("SrcAS"), clause("DstPort")], "Proto")).toEqual(["Proto"]);
  });

  it("has no column twice", () => {
    expect(drilled(["SrcAS", "DstPort"], [clause("SrcAS")], "DstPort")).toEqual(["DstPort"]);
    expect(drilled([], [clause("SrcAS")], "DstPort")).toEqual(["DstPort"]);
  });
});

describe("questions", () => {
  const range = { start: at(0) };

  it.each(GRAPH_KINDS)("of %s fit the API", (kind) => {
    const { body } = questionOf(exploration({ kind, dimensions: ["SrcAS", "DstAS"], filter: "Proto = tcp" }), range);
    expect(body).toMatchObject({ start: at(0), filter: "Proto = tcp", limit: 10, unit: "bits/s" });
    expect("end" in body).toBe(false);
  });

  it("say what is missing", () => {
    expect(hintOf(exploration({ kind: "sankey" }))?.text).toContain("two dimensions");
    expect(hintOf(exploration({ kind: "bars", dimensions: [] }))).not.toBeNull();
    expect(hintOf(exploration({ kind: "stacked", dimensions: [] }))).toBeNull();
  });

  it("of a Sankey are never of percentages", () => {
    expect(consistent(exploration({ kind: "sankey", unit: "in-%" })).unit).toBe("l2-bits/s");
    expect(consistent(exploration({ kind: "lines", unit: "in-%" })).unit).toBe("in-%");
  });
});

describe("kinds of graphs", () => {
  it("each have a button, a key and a drawing of their own", () => {
    expect(KINDS.map((info) => info.kind)).toEqual([...GRAPH_KINDS]);
    for (const part of ["key", "label", "path"] as const) expect(new Set(KINDS.map((info) => info[part])).size).toBe(KINDS.length);
  });
});

describe("the resolution", () => {
  it("comes back as it was chosen", () => {
    for (const { value } of RESOLUTIONS) expect(resolutionValue({ ...exploration(), ...resolutionOf(value).differences })).toBe(value);
  });
});

describe("what is kept", () => {
  it("is a view even if the server says something odd", () => {
    expect(viewOf(null)).toMatchObject({ id: "", own: false });
    expect(viewOf({ id: "x", name: "n", own: true, state: { kind: "lines" } }).exploration.kind).toBe("lines");
  });

  it("has the address of the exploration", () => {
    const path = explorationPath(exploration({ filter: "Proto = tcp AND x" }));
    expect(path).toBe("/explore?v=1&filter=Proto+%3D+tcp+AND+x");
  });
});

describe("files", () => {
  it("are named after what they hold", () => {
    expect(fileStem(exploration({ dimensions: ["SrcAS", "DstPort"] }))).toBe("millrace-stacked-SrcAS-DstPort");
    expect(headingOf(exploration(), (column) => `<${column}>`)).toBe("IP bit/s by <SrcAS>");
    expect(headingOf(exploration({ dimensions: [] }), String)).toBe("IP bit/s, all traffic");
  });

  it("have a heading and a legend as text, never as markup", () => {
    const mark = { id: "+", name: "<b>&\"", labels: [], color: "#f00", other: false, reverse: false, previous: false, clauses: [] };
    const { svg } = composePicture("<g/>", [mark], { width: 400, height: 200, heading: "<x>", detail: "d", colors: context().colors });
    const parsed = new DOMParser().parseFromString(svg, "image/svg+xml");
    const words = [...parsed.querySelectorAll("text")].map((one) => one.textContent);
    expect(words).toEqual(["<x>", "d", "<b>&\""]);
  });
});
