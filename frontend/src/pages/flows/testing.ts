/** Columns and flows for tests. */
import type { Column } from "@/composables/useColumns";
import type { Flow } from "@/pages/flows/values";

function column(name: string, title: string, group: string, kind: Column["kind"], display: Column["display"], more: Partial<Column> = {}): Column {
  const description = `${title} of the flow.`;
  return { name, title, group, kind, display, description, dimension: true, rolled_up: false, operators: ["="], values: [], ...more };
}

export const COLUMNS: readonly Column[] = [
  column("TimeReceived", "Received", "Flow", "time_ms", "time", { dimension: false }),
  column("Bytes", "Bytes", "Flow", "u64", "bytes", { dimension: false }),
  column("Packets", "Packets", "Flow", "u64", "packets", { dimension: false }),
  column("SamplingRate", "Sampling rate", "Flow", "u64", "number", { dimension: false }),
  column("FlowDirection", "Direction", "Flow", "enum", "text", { values: ["undefined", "ingress", "egress"] }),
  column("ExporterName", "Exporter name", "Exporter", "text", "text"),
  column("SrcAddr", "Source address", "Addresses", "address", "address"),
  column("SrcPort", "Source port", "Addresses", "u16", "port"),
  column("DstAddr", "Destination address", "Addresses", "address", "address"),
  column("DstPort", "Destination port", "Addresses", "u16", "port"),
  column("SrcAS", "Source AS", "Routing", "u32", "as"),
  column("DstASPath", "AS path", "Routing", "u32_list", "as"),
  column("SrcCountry", "Source country", "Geography", "text", "text"),
  column("InIf", "Input ifIndex", "Interfaces", "u32", "number"),
  column("InIfSpeed", "Input interface speed", "Interfaces", "u32", "bits", { description: "Speed in Mbit/s." }),
  column("Proto", "Protocol", "Packet headers", "u8", "protocol"),
  column("EType", "Ethertype", "Packet headers", "u16", "ethertype"),
  column("TCPFlags", "TCP flags", "Packet headers", "u16", "number"),
  column("IPTos", "ToS", "Packet headers", "u8", "number"),
];

export function columnOf(name: string): Column {
  const found = COLUMNS.find((one) => one.name === name);
  if (!found) throw new Error(`no column ${name}`);
  return found;
}

export const FLOW: Flow = {
  TimeReceived: "2026-01-31T12:00:05.250Z",
  TimeFlowStart: "2026-01-31T12:00:00.000Z",
  TimeFlowEnd: "2026-01-31T12:00:04.500Z",
  Bytes: 1500,
  Packets: 3,
  SamplingRate: 1000,
  SamplingRateSource: "options",
  FlowDirection: "undefined",
  ExporterAddress: "192.0.2.254",
  ExporterName: "edge1",
  SrcAddr: "192.0.2.1",
  SrcPort: 443,
  DstAddr: "2001:db8::1",
  DstPort: 50000,
  SrcAS: 64500,
  SrcASName: "Example",
  DstASPath: [],
  SrcCountry: "FR",
  InIf: 7,
  InIfSpeed: 0,
  Proto: 6,
  EType: 0x86dd,
  TCPFlags: 0x12,
  IPTos: 0,
};
