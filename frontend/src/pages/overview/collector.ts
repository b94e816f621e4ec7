/** What the collector says of itself (`/api/v1/status`), checked. */

/** Where exporters may send; `reach`: who can (everybody, this machine alone, whoever reaches that address). */
export interface Listener {
  address: string;
  port: number;
  reach: "all" | "machine" | "address";
}

export interface CollectorStatus {
  listeners: readonly Listener[];
  /** What the program does beside collecting, which may be why nothing is there yet. */
  activity: { text: string; share: number | null } | null;
  /** Ports at which it listens to everybody. */
  ports: number[];
  /** Other places, as `address:port`. */
  places: string[];
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

function listenerOf(told: Fields): Listener[] {
  const [address, port, reach] = [told["address"], count(told["port"]), told["reach"]];
  if (typeof address !== "string" || port <= 0) return [];
  return [{ address, port, reach: reach === "all" || reach === "machine" ? reach : "address" }];
}
function activityOf(value: unknown): CollectorStatus["activity"] {
  const { text, share } = fieldsOf(value);
  return typeof text === "string" && text ? { text, share: typeof share === "number" ? share : null } : null;
}

export function collectorStatus(body: unknown): CollectorStatus {
  const status = fieldsOf(body);
  const decoded = fieldsOf(status["decoded"]);
  const sockets = (Array.isArray(status["sockets"]) ? status["sockets"] : []).map(fieldsOf);
  const listening = (Array.isArray(status["listeners"]) ? status["listeners"] : []).map(fieldsOf).flatMap(listenerOf);
  const open = listening.filter(({ reach }) => reach === "all");
  const others = listening.filter(({ reach }) => reach !== "all");
  return {
    ports: [...new Set(open.map(({ port }) => port))],
    places: [...new Set(others.map(({ address, port }) => placeOf(address, port)))],
    listeners: listening,
    activity: activityOf(status["activity"]),
    datagrams: Math.max(count(decoded["datagrams"]), sockets.reduce((sum, socket) => sum + count(socket["datagrams"]), 0)),
    flows: count(decoded["flows"]),
    refused: count(status["refused_datagrams"]),
    waitingBytes: count(status["waiting_bytes"]),
    lastError: typeof status["last_error"] === "string" ? status["last_error"] : "",
  };
}

/** What the collector has seen so far, and what to look at, in a sentence. */
export function receivedSentence(status: CollectorStatus): string {
  if (status.activity) {
    const { text, share } = status.activity;
    return `${text}${share === null ? "" : `: ${Math.floor(share * 100)} %`}. This page fills by itself when it is done.`;
  }
  if (status.refused > 0 && status.datagrams === 0) return `${status.refused} datagrams were refused: their senders are not among the allowed ones.`;
  if (status.datagrams === 0) return "No datagram has come yet.";
  const came = status.datagrams === 1 ? "1 datagram has come" : `${status.datagrams} datagrams have come`;
  if (status.waitingBytes > 0) return `${came}, but their template has not: exporters send it every few minutes.`;
  return `${came}, but no flow was in them. The page of the exporters says why.`;
}

/** Whether it listens to this machine alone. */
export function isLoopback({ listeners }: CollectorStatus): boolean {
  return listeners.length > 0 && listeners.every(({ reach }) => reach === "machine");
}

/** What exporters must call this machine; a browser beside it knows a name that says nothing to others. */
const PLACEHOLDER = "COLLECTOR";

/** The machine as exporters call it, by the host in the address of the page; `near`: that is a placeholder. */
export function hostOf(hostname: string): { host: string; near: boolean } {
  const bare = hostname.replace(/^\[(.*)\]$/, "$1");
  const near = /^(localhost$|127\.|::1$)/.test(bare);
  return { host: near ? PLACEHOLDER : bare, near };
}

/** `host:port`, as it is written of an IPv6 address too. */
export function placeOf(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

export interface Example {
  name: string;
  text: string;
}

/** The listener that most exporters reach. */
function bestOf(listeners: readonly Listener[]): Listener | undefined {
  return (["all", "address", "machine"] as const).map((wanted) => listeners.find(({ reach }) => reach === wanted)).find(Boolean);
}

/**
 * How some exporters are told where to send; more, and more of each, is in the documentation. `host`: what exporters call
 * this machine, where it listens on all of its addresses. None while it is not known where it listens.
 */
export function examples(host: string, listeners: readonly Listener[]): Example[] {
  const best = bestOf(listeners);
  if (!best) return [];
  const to = best.reach === "all" ? host : best.address;
  const { port } = best;
  const sflow = listeners.some((one) => one.port === 6343 && one.reach === best.reach && one.address === best.address) ? 6343 : port;
  return [
    {
      name: "MikroTik RouterOS",
      text: `/ip traffic-flow set enabled=yes active-flow-timeout=1m\n/ip traffic-flow target add dst-address=${to} port=${port} version=ipfix v9-template-timeout=1m`,
    },
    { name: "Arista EOS (sFlow)", text: `sflow sample 4096\nsflow destination ${to} ${sflow}\nsflow run` },
    { name: "Linux host", text: `softflowd -i eth0 -n ${placeOf(to, port)} -v 10 -A milli -t maxlife=60` },
  ];
}
