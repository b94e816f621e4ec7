/** An exporter for tests. */
import type { Problem, Severity } from "@/pages/exporters/problems";
import type { ExporterDetail, ExporterView, InterfaceView } from "@/pages/exporters/wording";

export function problem(severity: Severity, what = `An ${severity}.`): Problem {
  return { severity, what, todo: "Look at it." };
}

export const INTERFACE: InterfaceView = {
  index: 7,
  name: "ae1",
  description: "Transit: Example",
  speed_mbps: 1000,
  boundary: "external",
  seen: true,
  last_seen: "2026-01-01T00:00:00Z",
  in_bits_per_second: 900e6,
  out_bits_per_second: 10e6,
};

export const EXPORTER: ExporterView = {
  implausible: {},
  address: "192.0.2.1",
  name: "edge1",
  site: "ams",
  protocols: ["ipfix"],
  last_seen: "2026-01-01T00:00:00Z",
  age_seconds: 5,
  rates: { flows_per_second: 10, packets_per_second: 2000, bits_per_second: 3e6 },
  domains: [
    {
      protocol: "ipfix",
      domain: 1,
      last_seen: "2026-01-01T00:00:00Z",
      received: 90,
      lost: 10,
      reordered: 0,
      lost_share: 0.1,
      clock_skew_seconds: 0,
    },
  ],
  templates: 1,
  options_templates: 0,
  sampling: [{ protocol: "ipfix", domain: 1, binding: "domain", id: 0, rate: 1000, source: "options" }],
  configured_sampling_rate: null,
  waiting: [{ protocol: "ipfix", domain: 1, template_id: 256, sets: 3, bytes: 300, since: "2026-01-01T00:00:00Z" }],
  lost: 10,
  reordered: 0,
  lost_share: 0.1,
  clock_skew_seconds: 0,
  applications: 0,
  interfaces: 0,
  last_issue: "bad-length: set 0 at byte 0",
  last_issue_time: "2026-01-01T00:00:00Z",
  problems: [problem("error", "No template 256 from 192.0.2.1."), problem("warning", "Its clock is 7 minutes ahead.")],
};

export const DETAIL: ExporterDetail = {
  exporter: EXPORTER,
  interfaces: [INTERFACE, { ...INTERFACE, index: 8, name: "", description: "", speed_mbps: 0, boundary: "undefined", seen: false }],
  templates: [
    {
      protocol: "ipfix",
      domain: 1,
      id: 300,
      options: false,
      announced: "2026-01-01T00:00:00Z",
      fields: [
        { element: 8, enterprise: 0, name: "sourceIPv4Address", length: 4, scope: false },
        { element: 1, enterprise: 9999, name: "", length: 65_535, scope: false },
      ],
    },
  ],
};
