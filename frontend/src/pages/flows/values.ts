/** Values of single flows: whether there is one, how it is written, and the number behind a name. */
import { formatAs, formatNumber, formatValue, UNKNOWN, type Value } from "@/format";
import type { Column } from "@/composables/useColumns";
import { codeWords } from "@/pages/flows/codes";

/** A flow as an answer has it: values by the names of columns. */
export type Flow = Readonly<Record<string, Value>>;

/** What must be known of a column here. */
export type FlowColumn = Pick<Column, "name" | "title" | "display" | "kind" | "values" | "description" | "dimension" | "group">;

export interface ShownValue {
  text: string;
  /** The value itself, where `text` is a name for it or leaves digits out; empty: the same. */
  raw: string;
}

/** Texts that say "nothing": the address and the MAC of all zeros. */
const NOTHING = new Set(["", "::", "00:00:00:00:00:00"]);

/** Columns of which zero is nothing rather than a number: there is no AS 0, no interface 0. */
const ZERO_IS_UNKNOWN = new Set(["as", "port", "ethertype", "bits"]);

/** Column whose text is the name of another's number. */
export const NAMED_BY: Readonly<Record<string, string>> = { SrcAS: "SrcASName", DstAS: "DstASName" };

/** Whether nothing is known: shown as a dash. */
export function isUnknown(column: FlowColumn, value: Value): boolean {
  if (value === null || value === undefined) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === "string") return NOTHING.has(value) || (column.kind === "enum" && value === column.values[0]);
  return value === 0 && (ZERO_IS_UNKNOWN.has(column.display) || /^(In|Out)If$/.test(column.name));
}

/** Whether a value says no more than that: unknown, or a zero that an exporter without the field would leave as well. */
export function isBlank(column: FlowColumn, value: Value): boolean {
  return isUnknown(column, value) || value === 0;
}

/** A value of a flow for people. `name`: what the server or another column calls it. */
export function shownValue(column: FlowColumn, value: Value, utc: boolean, name = ""): ShownValue {
  if (isUnknown(column, value)) return { text: UNKNOWN, raw: "" };
  const raw = rawOf(column, value);
  if (typeof value !== "number") {
    const text = formatValue(column, value, utc);
    // In UTC the stored time is the one that is shown.
    return { text, raw: text === raw.replace("T", " ").replace(/Z$/, "") ? "" : raw };
  }
  if (column.display === "as") return { text: name.startsWith("AS") ? name : formatAs(value, name), raw };
  const words = codeWords(column.name, value);
  const text = words || name || formatValue(column, value, utc);
  return { text, raw: digits(text) === digits(raw) ? "" : raw };
}

/** A number without what sets its groups apart. */
const digits = (text: string): string => text.replaceAll(/\s/g, "");

function rawOf(column: FlowColumn, value: Value): string {
  if (Array.isArray(value)) return "";
  // Times are written in the zone of the user; the stored one is UTC.
  if (column.display === "time" || column.name.endsWith("Country")) return String(value);
  if (typeof value !== "number") return "";
  switch (column.display) {
    // Their texts say the number.
    case "as":
    case "port":
    case "prefix-length":
      return "";
    case "ethertype":
      return `0x${value.toString(16).padStart(4, "0")}`;
    case "bytes":
    case "packets":
    case "bits":
      return value < 1000 ? "" : formatNumber(value);
    default:
      return column.name === "TCPFlags" ? `0x${value.toString(16).padStart(2, "0")}` : String(value);
  }
}

/** The value of a column of a flow, named by the column beside it. */
export function flowValue(column: FlowColumn, flow: Flow, utc: boolean): ShownValue {
  const name = flow[NAMED_BY[column.name] ?? ""];
  return shownValue(column, flow[column.name], utc, typeof name === "string" ? name : "");
}

export interface Counted {
  bytes: number;
  packets: number;
  /** Of one of N packets. */
  rate: number;
}

/** What was counted, and of which part of the packets. */
export function countedOf(flow: Flow): Counted {
  const number = (name: string): number => (typeof flow[name] === "number" ? flow[name] : 0);
  return { bytes: number("Bytes"), packets: number("Packets"), rate: Math.max(1, number("SamplingRate")) };
}
