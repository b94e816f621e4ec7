/** A value of a column, as its `display` says. */
import { formatAs, formatCountry, formatEthertype, formatPort, formatProtocol } from "@/format/name";
import { formatBytes, formatCount, formatNumber, formatScaled, UNKNOWN } from "@/format/number";
import { formatTime } from "@/format/time";

/** What an answer holds in a cell. */
export type Value = string | number | boolean | null | undefined | readonly (string | number)[];

/** What must be known of a column to show it. */
export interface ShownColumn {
  name: string;
  display: string;
  description?: string;
}

/** A value for people; `–` where it is not known. */
export function formatValue(column: ShownColumn, value: Value, utc = false): string {
  if (value === null || value === undefined || value === "") return UNKNOWN;
  if (Array.isArray(value)) {
    return value.length ? value.map((item: string | number) => formatValue(column, item, utc)).join(" ") : UNKNOWN;
  }
  if (typeof value === "number") return formatNumeric(column, value, utc);
  if (column.display === "time") return formatTime(String(value), utc, "millisecond");
  if (column.name.endsWith("Country")) return formatCountry(String(value));
  return String(value);
}

function formatNumeric(column: ShownColumn, value: number, utc: boolean): string {
  switch (column.display) {
    case "as":
      return formatAs(value);
    case "port":
      return formatPort(value);
    case "protocol":
      return formatProtocol(value);
    case "ethertype":
      return formatEthertype(value);
    case "bytes":
      return formatBytes(value);
    case "packets":
      return formatCount(value);
    case "bits":
      // Speeds of interfaces are stored in Mbit/s, counters in bit/s; the description says which.
      return formatScaled(value * (column.description?.includes("Mbit/s") ? 1e6 : 1), "bit/s");
    case "prefix-length":
      return `/${value}`;
    case "time":
      return formatTime(value, utc, "millisecond");
    case "number":
      return formatNumber(value);
    default:
      return String(value);
  }
}

/** Whether values of a column stand at the right, digit under digit. */
export function isNumeric(column: ShownColumn): boolean {
  return ["number", "bytes", "packets", "bits"].includes(column.display);
}
