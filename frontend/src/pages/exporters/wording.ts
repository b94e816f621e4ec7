/** What exporters tell of themselves, in words. */
import type { components } from "@/api/schema";
import { formatAgo, formatDuration, formatNumber, formatShare, UNKNOWN } from "@/format";

type Schemas = components["schemas"];
export type ExporterView = Schemas["ExporterView"];
export type ExporterDetail = Schemas["ExporterDetail"];
export type InterfaceView = Schemas["InterfaceView"];
export type TemplateView = Schemas["TemplateView"];
export type TemplateField = Schemas["TemplateField"];

type Sampling = Schemas["SamplingView"];

export const PROTOCOL_NAMES: Readonly<Record<Sampling["protocol"], string>> = {
  "netflow-v1": "NetFlow v1",
  "netflow-v5": "NetFlow v5",
  "netflow-v7": "NetFlow v7",
  "netflow-v9": "NetFlow v9",
  ipfix: "IPFIX",
  "sflow-v5": "sFlow v5",
};

/** Words of a table; of a server that is newer than this page maybe none. */
function wordsIn<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

export function protocolName(protocol: string): string {
  return wordsIn(PROTOCOL_NAMES, protocol) ?? protocol;
}

/** `1 in 1 000`; a rate of 1 takes every packet. */
export function rateWords(rate: number): string {
  return rate === 1 ? "every packet" : `1 in ${formatNumber(rate)}`;
}

export const SOURCE_WORDS: Readonly<Record<Sampling["source"], string>> = {
  record: "told by each record",
  options: "announced in options",
  header: "told in each header",
  sample: "told with each sample",
};

export function sourceWords(source: string): string {
  return wordsIn(SOURCE_WORDS, source) ?? source;
}

export const BINDING_WORDS: Readonly<Record<Sampling["binding"], (id: number) => string>> = {
  domain: () => "the whole domain",
  selector: (id) => `selector ${id}`,
  interface: (id) => `interface ${id}`,
  "line-card": (id) => `line card ${id}`,
  template: (id) => `template ${id}`,
  record: () => "each record",
  source: (id) => `data source ${id}`,
};

/** What a sampling rate holds for. */
export function bindingWords(binding: string, id: number): string {
  return wordsIn(BINDING_WORDS, binding)?.(id) ?? `${binding} ${id}`;
}

export interface SamplingSummary {
  rate: string;
  /** How it is known. */
  known: string;
  /** What tables sort by; null: nothing is known. */
  order: number | null;
}

/** The sampling of an exporter in a few words: what it tells itself, else what the configuration says. */
export function samplingSummary(
  exporter: Pick<ExporterView, "sampling" | "configured_sampling_rate">,
): SamplingSummary {
  const rates = [...new Set(exporter.sampling.map(({ rate }) => rate))].sort((a, b) => a - b);
  const [least, most] = [rates[0], rates.at(-1)];
  if (least !== undefined && most !== undefined) {
    const known = [...new Set(exporter.sampling.map(({ source }) => sourceWords(source)))].join(", ");
    const rate = least === most ? rateWords(least) : `1 in ${formatNumber(least)} to ${formatNumber(most)}`;
    return { rate, known, order: most };
  }
  const configured = exporter.configured_sampling_rate;
  if (configured) return { rate: rateWords(configured), known: "configured", order: configured };
  return { rate: UNKNOWN, known: "not told", order: null };
}

/** A clock that is off by less is as good as right: what the export itself takes is part of the figure. */
const IN_STEP_SECONDS = 1;

/** `in step`, `12 s ahead`, `3 min behind`. */
export function skewWords(seconds: number): string {
  if (Math.abs(seconds) < IN_STEP_SECONDS) return "in step";
  const [largest = ""] = formatDuration(Math.abs(seconds)).split(" ");
  return `${largest} ${seconds > 0 ? "ahead" : "behind"}`;
}

/** What was lost of what was sent: `none`, `1.2 %`. */
export function lossWords(share: number): string {
  return share > 0 ? formatShare(share) : "none";
}

/** How long nothing came, by the server's clock. */
export function ageWords(exporter: Pick<ExporterView, "last_seen" | "age_seconds">): string {
  const seen = Date.parse(exporter.last_seen);
  return formatAgo(seen, seen + exporter.age_seconds * 1000);
}

/** Variable length of a field of a template (RFC 7011 §7). */
const VARIABLE = 65_535;

export function fieldLength(length: number): string {
  return length === VARIABLE ? "variable" : `${length}\u00a0B`;
}

/** Length of a record of a template: the least if fields are of variable length. */
export function recordLength(fields: readonly TemplateField[]): string {
  const fixed = fields.filter(({ length }) => length !== VARIABLE);
  const bytes = fixed.reduce((sum, { length }) => sum + length, 0);
  // A field of variable length takes a byte that says how long it is.
  const variable = fields.length - fixed.length;
  return variable ? `${bytes + variable}\u00a0B or more` : `${bytes}\u00a0B`;
}

/** Name of a field; an element that nobody has named is its number. */
export function fieldName({ name, element, enterprise }: Pick<TemplateField, "name" | "element" | "enterprise">): string {
  return name || (enterprise ? `enterprise ${enterprise}, element ${element}` : `element ${element}`);
}
