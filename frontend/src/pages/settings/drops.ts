/** What did not become stored flows, by reason, with words for each. */

export interface Drop {
  key: string;
  count: number;
  /** What was lost: datagrams, sets, records, flows. */
  unit: string;
  reason: string;
  means: string;
  todo: string;
}

/** Meaning of a reason, and what to do about it. */
export interface ReasonWords {
  means: string;
  todo: string;
}

/** What is lost outside of decoding; the page on losing no datagram tells more. */
const ELSEWHERE: Readonly<Record<string, ReasonWords & { unit: string; reason: string }>> = {
  kernel_drops: {
    unit: "datagrams",
    reason: "kernel buffer full",
    means: "the kernel's buffer was full when they came",
    todo: "give the socket a larger buffer, or the machine more time",
  },
  emit_refused: {
    unit: "datagrams",
    reason: "queue full",
    means: "decoding, or the store behind it, did not keep up",
    todo: "look at the load of the machine and of its disk",
  },
  truncated: {
    unit: "datagrams",
    reason: "cut",
    means: "they were longer than receive.datagram_bytes and were cut",
    todo: "raise that setting",
  },
  refused: {
    unit: "datagrams",
    reason: "not allowed",
    means: "their senders are not in receive.allow",
    todo: "add the exporter's subnet if it is yours",
  },
  failed: {
    unit: "datagrams",
    reason: "not handed on",
    means: "a defect of Millrace between the socket and the decoder, which the log describes",
    todo: "report it, with the log",
  },
  stopped: { unit: "flows", reason: "stopped", means: "they came after the collector had stopped storing", todo: "" },
  "store-refused": {
    unit: "flows",
    reason: "store refused",
    means: "the store would not take them, and they were given up",
    todo: "look at the log and at the space on the disk",
  },
  "insert-failed": {
    unit: "flows",
    reason: "insert failed",
    means: "storing failed again and again in a way that nobody foresaw",
    todo: "report it, with the log",
  },
  "writer-failed": { unit: "flows", reason: "writer failed", means: "the thread that stores died with them in hand", todo: "report it, with the log" },
  "not-handed-on": { unit: "flows", reason: "not handed on", means: "a defect of Millrace before the store", todo: "report it, with the log" },
  "waiting-full": {
    unit: "interface counters",
    reason: "too many waited",
    means: "the store was too slow for interface counters; flows come first",
    todo: "look at the load of the disk",
  },
};

const SOCKET_LOSSES = ["kernel_drops", "emit_refused", "truncated", "refused", "failed"] as const;

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function counts(value: unknown): [string, number][] {
  return Object.entries(fieldsOf(value)).filter((entry): entry is [string, number] => typeof entry[1] === "number" && entry[1] > 0);
}

function elsewhere(key: string, count: number): Drop {
  const known = ELSEWHERE[key];
  return { key, count, ...(known ?? { unit: "flows", reason: key, means: "", todo: "" }) };
}

/** What did not come through between the network and the decoder, and between the decoder and the store. */
export function otherDrops(status: unknown): Drop[] {
  const fields = fieldsOf(status);
  const sockets = Array.isArray(fields["sockets"]) ? fields["sockets"].map(fieldsOf) : [];
  const lost = SOCKET_LOSSES.map((key): [string, number] => [
    key,
    sockets.reduce((sum, socket) => sum + (typeof socket[key] === "number" ? socket[key] : 0), 0),
  ]);
  const flows = [...lost, ...counts(fields["dropped_flows"])].filter(([, count]) => count > 0).map(([key, count]) => elsewhere(key, count));
  const counters = counts(fields["dropped_counters"]).map(([key, count]) => ({ ...elsewhere(key, count), key: `counters-${key}`, unit: "interface counters" }));
  return [...flows, ...counters];
}

/** What could not be decoded, most first; its words are the documentation's. */
export function undecoded(status: unknown, words: ReadonlyMap<string, ReasonWords>): Drop[] {
  return counts(fieldsOf(status)["not_decoded"])
    .sort(([, a], [, b]) => b - a)
    .map(([key, count]) => {
      const [unit = "", reason = ""] = key.split(": ");
      return { key, count, unit, reason, means: "", todo: "", ...words.get(reason) };
    });
}

/** The table of reasons in the documentation: for each reason what it means and what to do. */
export function reasonWords(html: string): Map<string, ReasonWords> {
  const found = new Map<string, ReasonWords>();
  for (const row of new DOMParser().parseFromString(html, "text/html").querySelectorAll("tr")) {
    const [names, means, todo] = row.querySelectorAll("td");
    if (!names || !means) continue;
    const words = { means: means.textContent?.trim() ?? "", todo: todo?.textContent?.trim() ?? "" };
    for (const name of names.querySelectorAll("code")) found.set(name.textContent ?? "", words);
  }
  return found;
}
