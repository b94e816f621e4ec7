/** What the numbers of some columns mean, as IANA registered them. */

/** Bits of `tcpControlBits`, the lowest first (RFC 9293 §3.1). */
const TCP_FLAGS = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"] as const;

export function tcpFlags(bits: number): string {
  return TCP_FLAGS.filter((_, bit) => bits & (1 << bit)).join(" ");
}

/** The two lowest bits are of explicit congestion notification (RFC 3168). */
export function typeOfService(tos: number): string {
  const ecn = ["", "ECT(1)", "ECT(0)", "CE"][tos & 3] ?? "";
  const dscp = tos >> 2;
  const name = DSCP[dscp] ?? `DSCP ${dscp}`;
  return [dscp ? name : "", ecn].filter(Boolean).join(", ");
}

const DSCP: Readonly<Record<number, string>> = {
  8: "CS1", 10: "AF11", 12: "AF12", 14: "AF13", 16: "CS2", 18: "AF21", 20: "AF22", 22: "AF23", 24: "CS3", 26: "AF31",
  28: "AF32", 30: "AF33", 32: "CS4", 34: "AF41", 36: "AF42", 38: "AF43", 40: "CS5", 44: "VA", 46: "EF", 48: "CS6", 56: "CS7",
};

const FORWARDING = ["", "forwarded", "dropped", "consumed"] as const;

const CODES: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  FlowEndReason: { 1: "idle timeout", 2: "active timeout", 3: "end of flow", 4: "forced end", 5: "lack of resources" },
  FirewallEvent: { 1: "created", 2: "deleted", 3: "denied", 4: "alert", 5: "update" },
  NATEvent: { 1: "create", 2: "delete", 3: "pool exhausted", 4: "session create", 5: "session delete" },
};

const WORDS: Readonly<Record<string, (value: number) => string>> = {
  TCPFlags: tcpFlags,
  IPTos: typeOfService,
  ForwardingStatus: (value) => FORWARDING[value >> 6] ?? "",
};

/** Words for a number of a column; empty: there are none. */
export function codeWords(column: string, value: number): string {
  return WORDS[column]?.(value) ?? CODES[column]?.[value] ?? "";
}
