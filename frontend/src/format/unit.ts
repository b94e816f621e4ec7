/** Units of the API: what is measured, and how it is written. */
import { formatBytes, formatPercent, formatScaled } from "@/format/number";

export const UNITS = ["bits/s", "l2-bits/s", "packets/s", "flows/s", "in-%", "out-%", "bytes"] as const;
export type Unit = (typeof UNITS)[number];

interface UnitWords {
  /** Name in a list. */
  title: string;
  /** A few letters beside a number. */
  short: string;
  description: string;
}

export const UNIT_WORDS: Readonly<Record<Unit, UnitWords>> = {
  "bits/s": { title: "IP bit/s", short: "bit/s", description: "Bits of IP packets per second (layer 3)" },
  "l2-bits/s": {
    title: "Ethernet bit/s",
    short: "bit/s",
    description: "Bits on the wire per second, with frame, preamble and gap (layer 2)",
  },
  "packets/s": { title: "Packets/s", short: "pps", description: "Packets per second" },
  "flows/s": { title: "Flows/s", short: "flows/s", description: "Flow records per second, as exported" },
  "in-%": { title: "% of input", short: "%", description: "Load of the input interfaces, in per cent of their speed" },
  "out-%": { title: "% of output", short: "%", description: "Load of the output interfaces, in per cent of their speed" },
  bytes: { title: "Bytes", short: "B", description: "Bytes of IP packets in each interval" },
};

/** Whether the API knows this unit. */
export function isUnit(text: unknown): text is Unit {
  return UNITS.some((unit) => unit === text);
}

/** A value in a unit: `1.23 Gbit/s`, `45.6 kpps`, `12.3 %`. Numbers below zero are the opposite direction's. */
export function formatUnit(value: number, unit: Unit): string {
  switch (unit) {
    case "in-%":
    case "out-%":
      return formatPercent(value);
    case "bytes":
      return formatBytes(value);
    case "flows/s":
      return formatScaled(value, " flows/s").replace("\u00a0 ", "\u00a0");
    default:
      return formatScaled(value, UNIT_WORDS[unit].short);
  }
}

/** A sum over a range: of rates in bits it is bytes, else packets or flows. */
export function formatTotal(total: number, unit: Unit): string {
  switch (unit) {
    case "packets/s":
      return formatScaled(total, " packets").replace("\u00a0 ", "\u00a0");
    case "flows/s":
      return formatScaled(total, " flows").replace("\u00a0 ", "\u00a0");
    case "in-%":
    case "out-%":
      return "";
    default:
      return formatBytes(total);
  }
}
