/** What the server says of itself; answers are checked, not believed: their parts are of no fixed shape. */
import type { components } from "@/api/schema";
import { formatDuration, formatNumber } from "@/format";

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function moment(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

export interface StoreTable {
  key: string;
  name: string;
  rows: number;
  bytes: number;
  oldest: number | null;
  newest: number | null;
  /** Days for which rows are kept; null: for ever, or it is not told. */
  keepDays: number | null;
  /** Parts that were unreadable and set aside. */
  detached: number;
}

export interface StoreFacts {
  tables: StoreTable[];
  flows: number;
  bytes: number;
  oldest: number | null;
  freeBytes: number;
  totalBytes: number;
  error: string;
}

const RAW = "flows";

/** `Rollup of 5 min` of `flows_5m0s`. */
export function tableName(table: string): string {
  if (table === RAW) return "Single flows";
  if (table === "interface_counters") return "Interface counters";
  const rollup = /^flows_(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(table);
  const [hours, minutes, seconds] = (rollup ?? []).slice(1).map((part) => Number(part ?? 0));
  const length = (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0);
  return length > 0 ? `Rollup of ${formatDuration(length)}` : table;
}

/** What `/api/v1/store` says. */
export function storeFacts(body: unknown): StoreFacts {
  const fields = fieldsOf(body);
  const tables = Object.entries(fieldsOf(fields["tables"])).map(([key, value]) => {
    const table = fieldsOf(value);
    return {
      key,
      name: tableName(key),
      rows: number(table["rows"]),
      bytes: number(table["bytes_on_disk"]),
      oldest: moment(table["oldest_ms"]),
      newest: moment(table["newest_ms"]),
      keepDays: moment(table["keep_days"]),
      detached: number(table["detached"]),
    };
  });
  const raw = tables.find(({ key }) => key === RAW);
  return {
    tables,
    flows: raw?.rows ?? 0,
    bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
    oldest: raw?.oldest ?? null,
    freeBytes: number(fields["free_bytes"]),
    totalBytes: number(fields["total_bytes"]),
    error: typeof fields["last_error"] === "string" ? fields["last_error"] : "",
  };
}

export function keptWords({ keepDays }: Pick<StoreTable, "keepDays">): string {
  return keepDays === null ? "for ever" : `${formatNumber(keepDays)} day${keepDays === 1 ? "" : "s"}`;
}

export const HEALTH_WORDS: Readonly<Record<components["schemas"]["HealthReport"]["status"], { words: string; badge: string }>> = {
  ok: { words: "healthy", badge: "badge-good" },
  degraded: { words: "needs attention", badge: "badge-warn" },
  failed: { words: "failing", badge: "badge-bad" },
};

/** How the server is, in words and a colour. */
export function healthWords(health: string): { words: string; badge: string } {
  return Object.entries(HEALTH_WORDS).find(([name]) => name === health)?.[1] ?? { words: health, badge: "" };
}

export interface Totals {
  version: string;
  health: string;
  flows: number;
  datagrams: number;
  waiting: number;
  error: string;
}

/** What `/api/v1/status` says. */
export function totals(body: unknown): Totals {
  const fields = fieldsOf(body);
  const decoded = fieldsOf(fields["decoded"]);
  const text = (name: string): string => (typeof fields[name] === "string" ? fields[name] : "");
  return {
    version: text("version"),
    health: text("health"),
    flows: number(fields["stored_flows"]),
    datagrams: number(decoded["datagrams"]),
    waiting: number(fields["waiting_flows"]),
    error: text("last_error"),
  };
}
