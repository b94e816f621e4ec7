/** What the collector says of itself (`/api/v1/status`), checked. */

export interface CollectorStatus {
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

export function collectorStatus(body: unknown): CollectorStatus {
  const status = fieldsOf(body);
  const decoded = fieldsOf(status["decoded"]);
  const sockets = (Array.isArray(status["sockets"]) ? status["sockets"] : []).map(fieldsOf);
  const listening = sockets
    .map((socket) => ({ address: String(socket["address"] ?? ""), port: count(socket["port"]) }))
    .filter(({ port }) => port > 0);
  const isOpen = (address: string): boolean => address === "::" || address === "0.0.0.0" || address === "";
  const place = (address: string, port: number): string => (address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`);
  return {
    ports: [...new Set(listening.filter(({ address }) => isOpen(address)).map(({ port }) => port))],
    places: [...new Set(listening.filter(({ address }) => !isOpen(address)).map(({ address, port }) => place(address, port)))],
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

/** Whether it listens to this machine alone. */
export function isLoopback({ ports, places }: CollectorStatus): boolean {
  return ports.length === 0 && places.length > 0 && places.every((place) => /^(127\.|\[::1\])/.test(place));
}

export interface Example {
  name: string;
  text: string;
}

/** How some exporters are told where to send; more, and more of each, is in the documentation. */
export function examples(host: string, ports: readonly number[]): Example[] {
  const port = ports[0] ?? 2055;
  return [
    {
      name: "MikroTik RouterOS",
      text: `/ip traffic-flow set enabled=yes active-flow-timeout=1m\n/ip traffic-flow target add dst-address=${host} port=${port} version=ipfix v9-template-timeout=1m`,
    },
    { name: "Arista EOS (sFlow)", text: `sflow sample 4096\nsflow destination ${host} ${ports.includes(6343) ? 6343 : port}\nsflow run` },
    { name: "Linux host", text: `softflowd -i eth0 -n ${host}:${port} -v 10 -A milli -t maxlife=60` },
  ];
}
