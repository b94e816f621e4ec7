/** Names of numbers. The server names what it groups by; these few are for single flows. */

const PROTOCOLS: Readonly<Record<number, string>> = {
  1: "ICMP", 2: "IGMP", 4: "IPv4", 6: "TCP", 17: "UDP", 41: "IPv6", 47: "GRE", 50: "ESP", 51: "AH", 58: "ICMPv6",
  89: "OSPF", 103: "PIM", 112: "VRRP", 115: "L2TP", 132: "SCTP",
};

const ETHERTYPES: Readonly<Record<number, string>> = {
  0x0800: "IPv4", 0x0806: "ARP", 0x8100: "802.1Q", 0x86dd: "IPv6", 0x8847: "MPLS", 0x8863: "PPPoE discovery",
  0x8864: "PPPoE", 0x88a8: "802.1ad", 0x88cc: "LLDP",
};

const PORTS: Readonly<Record<number, string>> = {
  20: "ftp-data", 21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 53: "domain", 67: "bootps", 68: "bootpc", 80: "http",
  110: "pop3", 123: "ntp", 143: "imap", 161: "snmp", 162: "snmptrap", 179: "bgp", 389: "ldap", 443: "https",
  445: "microsoft-ds", 465: "submissions", 514: "syslog", 587: "submission", 636: "ldaps", 853: "domain-s",
  989: "ftps-data", 993: "imaps", 995: "pop3s", 1194: "openvpn", 1433: "ms-sql", 1883: "mqtt", 1935: "rtmp",
  2055: "netflow", 3128: "squid", 3306: "mysql", 3389: "rdp", 3478: "stun", 4500: "ipsec-nat-t", 4739: "ipfix",
  5060: "sip", 5222: "xmpp", 5353: "mdns", 5432: "postgresql", 6343: "sflow", 6379: "redis", 6443: "kubernetes",
  8080: "http-alt", 8443: "https-alt", 9092: "kafka", 11211: "memcache", 27017: "mongodb", 51820: "wireguard",
};

export function formatProtocol(number: number): string {
  return PROTOCOLS[number] ?? String(number);
}

export function formatEthertype(number: number): string {
  return ETHERTYPES[number] ?? `0x${number.toString(16).padStart(4, "0")}`;
}

/** `443 https`; a port without a name is its number. */
export function formatPort(number: number): string {
  const name = PORTS[number];
  return name ? `${number} ${name}` : String(number);
}

/** `AS64500 Example`; 0 says that it is not known. */
export function formatAs(number: number, name = ""): string {
  return number === 0 ? "unknown AS" : `AS${number}${name ? ` ${name}` : ""}`;
}

const regions = new Intl.DisplayNames(["en"], { type: "region", fallback: "code" });

/** The flag of a country by its two letters, as regional indicator symbols; empty if they are none. */
export function flagOf(code: string): string {
  if (!/^[A-Za-z]{2}$/.test(code)) return "";
  return String.fromCodePoint(...[...code.toUpperCase()].map((letter) => 0x1f1e6 + letter.charCodeAt(0) - 65));
}

/** Name of a country by its two letters (ISO 3166); the code itself if nobody has it. */
function countryName(code: string): string {
  return /^[A-Za-z]{2}$/.test(code) ? (regions.of(code.toUpperCase()) ?? code) : code;
}

/** `🇫🇷 France`. */
export function formatCountry(code: string): string {
  return `${flagOf(code)} ${countryName(code)}`.trim();
}
