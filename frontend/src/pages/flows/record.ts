/** A flow with all of its columns, ready to be shown. */
import { formatBytes, formatCount, formatDuration, formatNumber, UNKNOWN } from "@/format";
import { byGroup } from "@/pages/flows/columns";
import { codeWords } from "@/pages/flows/codes";
import { countedOf, flowValue, isBlank, shownValue, type Flow, type FlowColumn, type ShownValue } from "@/pages/flows/values";
import type { Value } from "@/format";
import { zoneMark } from "@/time/zone";

export interface Field extends ShownValue {
  column: FlowColumn;
  value: Value;
  blank: boolean;
}

export interface FieldGroup {
  name: string;
  fields: Field[];
}

/** The text of a value where no heading says the zone of times. */
export function zonedText(column: FlowColumn, value: Value, text: string, utc: boolean): string {
  return column.display === "time" && text !== UNKNOWN ? `${text} ${zoneMark(Date.parse(String(value)), utc)}` : text;
}

/** Fields by group, in the order of the schema; those that the schema lacks come last. `labels`: names the server knows. */
export function fieldsOf(
  columns: readonly FlowColumn[],
  flow: Flow,
  labels: Readonly<Record<string, string>>,
  utc: boolean,
): Field[] {
  const known = new Set(columns.map(({ name }) => name));
  const strangers = Object.keys(flow).filter((name) => !known.has(name)).map(strange);
  return [...columns.filter(({ name }) => name in flow), ...strangers].map((column) => {
    const value = flow[column.name];
    const label = labels[column.name];
    const shown = label === undefined ? flowValue(column, flow, utc) : shownValue(column, value, utc, label);
    const blank = isBlank(column, value);
    return { column, value, blank, ...shown, text: zonedText(column, value, shown.text, utc) };
  });
}

function strange(name: string): FlowColumn {
  return { name, title: name, display: "text", kind: "text", values: [], description: "", dimension: false, group: "Other" };
}

export function groupsOf(fields: readonly Field[], blanks: boolean): FieldGroup[] {
  const shown = fields.filter((field) => blanks || !field.blank);
  return byGroup(shown.map((field) => ({ ...field, group: field.column.group }))).map(({ name, columns }) => ({ name, fields: columns }));
}

/** One end of a flow: `192.0.2.1:443`, `[2001:db8::1]:443`. */
export function endOf(flow: Flow, side: "Src" | "Dst"): string {
  const address = flow[`${side}Addr`];
  if (typeof address !== "string" || address === "" || address === "::") return "unknown";
  const port = flow[`${side}Port`];
  if (!port) return address;
  return address.includes(":") ? `[${address}]:${String(port)}` : `${address}:${String(port)}`;
}

const moment = (flow: Flow, name: string): number => (typeof flow[name] === "string" ? Date.parse(flow[name]) : NaN);

/** Digits as long as there are few. */
const count = (value: number): string => (value < 100_000 ? formatNumber(value) : formatCount(value));

/** How much passed, in a sentence; with sampling also what it stands for. */
export function amountWords(flow: Flow): string {
  const { bytes, packets, rate } = countedOf(flow);
  const counted = `${formatBytes(bytes)} in ${count(packets)} ${packets === 1 ? "packet" : "packets"}`;
  if (flow["SamplingRateSource"] === "unknown") return `${counted}; whether and how it was sampled is unknown`;
  if (rate === 1) return counted;
  return `${counted}, sampled 1 in ${formatNumber(rate)}: about ${formatBytes(bytes * rate)} in ${count(packets * rate)} packets`;
}

/** How long it lasted; empty if nobody knows. */
export function lengthWords(flow: Flow): string {
  const [start, end] = [moment(flow, "TimeFlowStart"), moment(flow, "TimeFlowEnd")];
  if (!(start > 0) || !(end >= start)) return "";
  return end === start ? "" : `over ${formatDuration((end - start) / 1000)}`;
}

/** Flags and the reason of the end, where they say something. */
export function stateWords(flow: Flow): string {
  const words = (name: string): string => (typeof flow[name] === "number" ? codeWords(name, flow[name]) : "");
  return [words("TCPFlags"), words("FlowEndReason")].filter(Boolean).join(" · ");
}
