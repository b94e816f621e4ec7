/** What was read for an answer, in words. */
import { formatDuration } from "@/format";
import type { GraphAnswer, Source } from "@/graphs/answers";
import { calendarUnit } from "@/graphs/buckets";

type Time = (moment: string, style: "minute" | "second" | "clock") => string;

export function intervalWords(answer: GraphAnswer): string {
  const seconds = "interval_seconds" in answer.data ? answer.data.interval_seconds : null;
  const unit = "interval" in answer.data ? calendarUnit(answer.data.interval) : null;
  if (unit) return `calendar ${unit}s`;
  return seconds ? `intervals of ${formatDuration(seconds)}` : "";
}

/** Whether the range is another than was asked for, and which way. */
export function movedWords(answer: GraphAnswer, time: Time): string {
  const { asked_start, asked_end, start, end } = answer.data;
  const [askedStart, askedEnd] = [Date.parse(asked_start), Date.parse(asked_end)];
  if (Date.parse(end) < askedEnd) return `data complete until ${time(end, "second")}`;
  if (Date.parse(start) > askedStart) return `nothing stored before ${time(start, "minute")}`;
  if (Date.parse(start) < askedStart || Date.parse(end) > askedEnd) return "moved outwards to whole intervals";
  return "";
}

/** Length of the intervals of a table in seconds, by its name: `flows_5m0s`, `flows_1h0m0s`; 0: it has single flows. */
function tableSeconds(table: string): number {
  const found = /_(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(table);
  const [hours = 0, minutes = 0, seconds = 0] = (found ?? []).slice(1).map((digits) => Number(digits ?? 0));
  return hours * 3600 + minutes * 60 + seconds;
}

function tableWords(table: string): string {
  const seconds = tableSeconds(table);
  return seconds > 0 ? `rollup of ${formatDuration(seconds)}` : "single flows";
}

/** The tables that were read, from when on each. */
export function sourceWords(sources: readonly Source[], time: Time): string {
  if (sources.length === 0) return "";
  if (sources.length > 2) return `from ${severalWords(sources)}`;
  const [first, ...later] = sources;
  const words = later.map(({ table, start }) => `${tableWords(table)} since ${time(start, "minute").slice(11)}`);
  return `from ${[tableWords(first?.table ?? ""), ...words].join(" + ")}`;
}

/** Of more than two parts it is enough to say which tables. */
function severalWords(sources: readonly Source[]): string {
  const lengths = [...new Set(sources.map(({ table }) => tableSeconds(table)))].sort((a, b) => b - a);
  const rollups = lengths.filter((seconds) => seconds > 0).map((seconds) => formatDuration(seconds));
  const flows = lengths.includes(0) ? " + single flows at the edges" : "";
  return `rollups of ${rollups.join(", ")}${flows}`;
}
