/** What the collector says of itself (`/api/v1/status`), checked. */

export interface CollectorStatus {
  /** Where it listens, as `address:port`. */
  sockets: string[];
  ports: number[];
  datagrams: number;
  /** Flows decoded since the start. */
  flows: number;
  refused: number;
  /** Bytes that wait for a template. */
  waitingBytes: number;
  lastError: string;
}

type Fields = Record<string, unknown>;

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}
function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

export function collectorStatus(body: unknown): CollectorStatus {
  const status = fieldsOf(body);
  const decoded = fieldsOf(status["decoded"]);
  const sockets = (Array.isArray(status["sockets"]) ? status["sockets"] : []).map(fieldsOf);
  const places = sockets.map((socket) => `${String(socket["address"] ?? "")}:${count(socket["port"])}`);
  return {
    sockets: [...new Set(places)],
    ports: [...new Set(sockets.map((socket) => count(socket["port"])).filter((port) => port > 0))],
    datagrams: Math.max(count(decoded["datagrams"]), sockets.reduce((sum, socket) => sum + count(socket["datagrams"]), 0)),
    flows: count(decoded["flows"]),
    refused: count(status["refused_datagrams"]),
    waitingBytes: count(status["waiting_bytes"]),
    lastError: typeof status["last_error"] === "string" ? status["last_error"] : "",
  };
}

/** What the collector has seen so far, and what to look at, in a sentence. */
export function receivedSentence(status: CollectorStatus): string {
  if (status.refused > 0 && status.datagrams === 0) return `${status.refused} datagrams were refused: their senders are not among the allowed ones.`;
  if (status.datagrams === 0) return "No datagram has come yet.";
  const came = status.datagrams === 1 ? "1 datagram has come" : `${status.datagrams} datagrams have come`;
  if (status.waitingBytes > 0) return `${came}, but their template has not: exporters send it every few minutes.`;
  return `${came}, but no flow was in them. The page of the exporters says why.`;
}
