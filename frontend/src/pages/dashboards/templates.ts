/** Dashboards to begin with. */
import type { IconName } from "@/components/icons";
import { exploration, type Exploration } from "@/graphs/exploration";
import type { Place } from "@/pages/dashboards/layout";
import {
  newId,
  USUAL_SETTINGS,
  type DashboardContent,
  type Figure,
  type PageSettings,
  type Widget,
} from "@/pages/dashboards/model";

export interface Template {
  key: string;
  name: string;
  description: string;
  icon: IconName;
  make: () => DashboardContent;
}

type At = readonly [x: number, y: number, w: number, h: number];

const placeOf = ([x, y, w, h]: At): Place => ({ x, y, w, h });

function graph(title: string, at: At, differences: Partial<Exploration>): Widget {
  return { id: newId(), kind: "graph", title, place: placeOf(at), exploration: exploration(differences), ownRange: false, figure: "average" };
}
function top(title: string, at: At, differences: Partial<Exploration>): Widget {
  const asked = exploration({ kind: "bars", ...differences });
  return { id: newId(), kind: "top", title, place: placeOf(at), exploration: asked, ownRange: false, figure: "average" };
}
function number(title: string, at: At, figure: Figure, differences: Partial<Exploration>): Widget {
  const asked = exploration({ dimensions: [], previous: "auto", ...differences });
  return { id: newId(), kind: "number", title, place: placeOf(at), exploration: asked, ownRange: false, figure };
}
function note(title: string, at: At, text: string): Widget {
  return { id: newId(), kind: "note", title, place: placeOf(at), text };
}
function content(name: string, description: string, widgets: Widget[], settings: Partial<PageSettings> = {}): DashboardContent {
  return { name, description, filter: "", shared: false, settings: { ...USUAL_SETTINGS, ...settings }, widgets };
}

const FROM_TRANSIT = "InIfConnectivity = transit";
const TO_TRANSIT = "OutIfConnectivity = transit";
const IN_INTERFACE = ["ExporterName", "InIfName"];
const OUT_INTERFACE = ["ExporterName", "OutIfName"];

export const TEMPLATES: readonly Template[] = [
  {
    key: "blank",
    name: "Empty",
    description: "A page to fill as you like",
    icon: "plus",
    make: () => content("New dashboard", "", []),
  },
  {
    key: "transit",
    name: "Transit overview",
    description: "What comes and goes through transit providers, and who is behind it",
    icon: "swap",
    make: () =>
      content("Transit overview", "Traffic of transit providers, with its peaks and its ends", [
        number("From transit, peak", [0, 0, 3, 4], "maximum", { filter: FROM_TRANSIT }),
        number("From transit, average", [3, 0, 3, 4], "average", { filter: FROM_TRANSIT }),
        number("To transit, peak", [6, 0, 3, 4], "maximum", { filter: TO_TRANSIT }),
        number("To transit, average", [9, 0, 3, 4], "average", { filter: TO_TRANSIT }),
        graph("From and to each provider", [0, 4, 8, 9], {
          dimensions: ["InIfProvider"],
          filter: FROM_TRANSIT,
          bidirectional: true,
        }),
        graph("Load of transit ports", [8, 4, 4, 9], { kind: "lines", dimensions: IN_INTERFACE, unit: "in-%", filter: FROM_TRANSIT, limit: 6 }),
        top("Source AS behind transit", [0, 13, 4, 8], { dimensions: ["SrcAS"], filter: FROM_TRANSIT, limit: 10 }),
        top("Destination AS behind transit", [4, 13, 4, 8], { dimensions: ["DstAS"], filter: TO_TRANSIT, limit: 10 }),
        top("Source countries", [8, 13, 4, 8], { dimensions: ["SrcCountry"], filter: FROM_TRANSIT, limit: 10 }),
      ]),
  },
  {
    key: "peering",
    name: "Peering candidates",
    description: "Networks whose traffic is paid for today, and could come from a peer",
    icon: "share",
    make: () =>
      content("Peering candidates", "Networks that are reached through transit with much traffic", [
        note(
          "How to read this",
          [0, 0, 4, 8],
          "All graphs show traffic **through transit** only.\n\n- A network with a steady large share is worth a session.\n- See below where it comes in, and by which provider.\n- Click a name: the whole page shows that network alone.\n\nNo data? Interfaces need the connectivity `transit` (see [Name exporters and interfaces](/docs/how-to/name-exporters)).",
        ),
        graph("Source AS through transit", [4, 0, 8, 8], { dimensions: ["SrcAS"], filter: FROM_TRANSIT, limit: 12 }),
        top("From: source AS", [0, 8, 4, 11], { dimensions: ["SrcAS"], filter: FROM_TRANSIT, limit: 15 }),
        top("To: destination AS", [4, 8, 4, 11], { dimensions: ["DstAS"], filter: TO_TRANSIT, limit: 15 }),
        top("Where it comes in", [8, 8, 4, 11], { dimensions: ["ExporterSite", "InIfProvider"], filter: FROM_TRANSIT, limit: 15 }),
        graph("From network to provider to site", [0, 19, 12, 11], {
          kind: "sankey",
          dimensions: ["SrcAS", "InIfProvider", "ExporterSite"],
          filter: FROM_TRANSIT,
          limit: 10,
        }),
        graph("When", [0, 30, 12, 8], { kind: "heatmap", dimensions: ["SrcAS"], filter: FROM_TRANSIT, limit: 12 }),
      ], { from: "now-24h" }),
  },
  {
    key: "interfaces",
    name: "Interfaces",
    description: "Load of every port, in per cent of its speed, and the state of exporters",
    icon: "router",
    make: () =>
      content("Interfaces", "Load of ports in per cent of their speed", [
        graph("Input load", [0, 0, 6, 8], { kind: "lines", dimensions: IN_INTERFACE, unit: "in-%", limitBy: "p95" }),
        graph("Output load", [6, 0, 6, 8], { kind: "lines", dimensions: OUT_INTERFACE, unit: "out-%", limitBy: "p95" }),
        top("Most loaded inputs", [0, 8, 4, 8], { dimensions: [...IN_INTERFACE, "InIfDescription"], unit: "in-%", limit: 10 }),
        top("Most loaded outputs", [4, 8, 4, 8], { dimensions: [...OUT_INTERFACE, "OutIfDescription"], unit: "out-%", limit: 10 }),
        { id: newId(), kind: "exporters", title: "Exporters", place: placeOf([8, 8, 4, 8]) },
        graph("Load over time", [0, 16, 12, 9], { kind: "heatmap", dimensions: IN_INTERFACE, unit: "in-%", limit: 20 }),
      ]),
  },
  {
    key: "security",
    name: "Security look",
    description: "Scans, amplification and odd talkers: what stands out in the last hour",
    icon: "warning",
    make: () =>
      content("Security look", "What stands out in single flows", [
        graph("Flows by protocol", [0, 0, 6, 7], { kind: "lines", dimensions: ["Proto"], unit: "flows/s", limit: 6 }),
        graph("Answers of services used for amplification", [6, 0, 6, 7], {
          dimensions: ["SrcPort"],
          filter: "Proto = udp AND SrcPort IN (17, 19, 53, 111, 123, 137, 161, 389, 1900, 3702, 11211)",
          limit: 8,
        }),
        top("Addresses that begin most flows", [0, 7, 4, 8], { dimensions: ["SrcAddr"], unit: "flows/s", limit: 10 }),
        top("Addresses that get most packets", [4, 7, 4, 8], { dimensions: ["DstAddr"], unit: "packets/s", limit: 10 }),
        top("Ports that are knocked at", [8, 7, 4, 8], { dimensions: ["DstPort"], unit: "flows/s", filter: "Proto = tcp", limit: 10 }),
        top("Who asks for remote access", [0, 15, 4, 8], {
          dimensions: ["SrcAddr", "DstPort"],
          unit: "flows/s",
          filter: "Proto = tcp AND DstPort IN (22, 23, 445, 3389, 5900)",
          limit: 10,
        }),
        graph("Flows from each country", [4, 15, 8, 8], { kind: "heatmap", dimensions: ["SrcCountry"], unit: "flows/s", limit: 12 }),
      ], { from: "now-1h" }),
  },
];
