"use strict";
// A small look at the collector through its own API. Texts of flows are shown with textContent only: exporters decide them.

const REFRESH_MS = 5000;
const SHOWN_FLOWS = 25;
// Questions that rollups cannot answer read every flow of the range: keep it short.
const RAW_SECONDS = 300;
const PROTOCOLS = { 1: "icmp", 6: "tcp", 17: "udp", 47: "gre", 50: "esp", 58: "icmpv6", 132: "sctp" };
const FLOW_COLUMNS = ["TimeReceived", "ExporterName", "SrcAddr", "SrcPort", "DstAddr", "DstPort", "Proto", "Bytes", "Packets",
  "SamplingRate", "FlowProtocol"];
const NUMBERS = new Set(["SrcPort", "DstPort", "Bytes", "Packets", "SamplingRate"]);

const $ = (id) => document.getElementById(id);

async function ask(path, question) {
  const options = question && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(question) };
  const response = await fetch(path, options);
  const body = await response.json();
  if (!response.ok && path !== "/health") throw new Error(body.detail || response.statusText);
  return body;
}

function scaled(value, unit) {
  const steps = ["", "k", "M", "G", "T", "P"];
  let step = 0;
  while (value >= 1000 && step < steps.length - 1) { value /= 1000; step += 1; }
  return `${value.toLocaleString("en", { maximumSignificantDigits: 3 })} ${steps[step]}${unit}`;
}

function shown(column, value) {
  if (value === null || value === undefined) return "unknown";
  if (column === "Proto") return PROTOCOLS[value] || String(value);
  if (column === "TimeReceived") return value.slice(11, 23);
  if (Array.isArray(value)) return value.join(" ");
  if (value === "") return "–";
  return String(value);
}

function cell(content, className) {
  const td = document.createElement("td");
  if (content instanceof Node) td.append(content); else td.textContent = content;
  if (className) td.className = className;
  return td;
}

function fill(id, heads, rows, empty) {
  const table = $(id);
  const head = document.createElement("tr");
  for (const [title, className] of heads) {
    const th = document.createElement("th");
    th.textContent = title;
    th.scope = "col";
    if (className) th.className = className;
    head.append(th);
  }
  table.tHead.replaceChildren(head);
  if (!rows.length) {
    const td = cell(empty, "quiet");
    td.colSpan = heads.length;
    rows = [[td]];
  }
  table.tBodies[0].replaceChildren(...rows.map((cells) => {
    const tr = document.createElement("tr");
    tr.append(...cells);
    return tr;
  }));
}

async function showState() {
  const [status, health] = await Promise.all([ask("/api/v1/status"), ask("/health")]);
  const reasons = Object.entries(health.components).flatMap(([name, one]) => one.reasons.map((reason) => `${name}: ${reason}`));
  $("state").textContent = `${status.version} · ${[health.status, ...reasons].join(" · ")}`;
  $("state").classList.toggle("bad", health.status !== "ok");
}

async function showTraffic(seconds) {
  const series = await ask("/api/v1/flows/series", { last_seconds: seconds, unit: "bits/s" });
  const points = series.rows[0].points;
  // The last bucket is still being filled by the exporters' timeouts.
  const whole = points.length > 2 ? points.slice(0, -1) : points;
  const peak = Math.max(...whole, 1);
  const x = (i) => (1000 * i) / Math.max(whole.length - 1, 1);
  const y = (value) => 198 - (190 * value) / peak;
  const line = whole.map((value, i) => `L${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", `M0 198${line}L1000 198Z`);
  $("chart").replaceChildren(path);
  const time = (text) => new Date(text).toLocaleTimeString();
  $("now-bits").textContent = scaled(series.rows[0].average, "bit/s");
  $("now-rest").textContent = "on average";
  $("chart-start").textContent = time(series.start);
  $("chart-end").textContent = time(series.end);
  $("chart-top").textContent = `peak ${scaled(peak, "bit/s")}`;
}

async function showTop(seconds) {
  const dimensions = $("dimensions").value.split(",");
  const raw = "raw" in $("dimensions").selectedOptions[0].dataset;
  const top = await ask("/api/v1/flows/top", { last_seconds: raw ? Math.min(seconds, RAW_SECONDS) : seconds, dimensions, limit: 15 });
  $("top-range").textContent = raw ? "last 5 minutes" : `last ${$("range").selectedOptions[0].textContent}`;
  const heads = [...top.dimensions.map((name) => [name]), ["rate", "number"], ["share", "number"], [""], ["flows", "number"]];
  fill("top", heads, top.rows.map((row) => {
    const meter = document.createElement("meter");
    meter.value = row.share;
    return [...row.dimensions.map((value, i) => cell(shown(top.dimensions[i], value))), cell(scaled(row.value, "bit/s"), "number"),
      cell(`${(100 * row.share).toFixed(1)} %`, "number"), cell(meter), cell(row.flows.toLocaleString("en"), "number")];
  }), "No flows in this range.");
}

async function showExporters() {
  const exporters = await ask("/api/v1/exporters?limit=50");
  const heads = [["exporter"], ["address"], ["protocols"], ["flows/s", "number"], ["traffic", "number"], ["templates", "number"],
    ["sampling"], ["lost", "number"], ["seen", "number"], ["to look at"]];
  fill("exporters", heads, exporters.map((one) => {
    const rates = [...new Set(one.sampling.map((item) => `1:${item.rate}`))];
    if (!rates.length && one.configured_sampling_rate) rates.push(`1:${one.configured_sampling_rate} (configured)`);
    return [cell(one.name), cell(one.address), cell(one.protocols.join(", ")), cell(one.rates.flows_per_second.toFixed(1), "number"),
      cell(scaled(one.rates.bits_per_second, "bit/s"), "number"), cell(String(one.templates), "number"),
      cell(rates.slice(0, 3).join(", ") || "unknown"), cell(one.lost.toLocaleString("en"), "number"),
      cell(`${Math.round(one.age_seconds)} s ago`, "number"), cell(one.problems.join(" "), "words")];
  }), "No exporter has sent anything yet. Point a router's NetFlow, IPFIX or sFlow at this machine.");
}

function showLive() {
  const rows = [];
  const source = new EventSource(`/api/v1/flows/live?rate=10&${FLOW_COLUMNS.map((name) => `column=${name}`).join("&")}`);
  source.addEventListener("flows", (event) => {
    if (document.hidden) return;
    const { flows, seen, missed } = JSON.parse(event.data);
    rows.unshift(...flows.reverse());
    rows.length = Math.min(rows.length, SHOWN_FLOWS);
    if (seen) $("live-state").textContent = `${flows.length} of the last ${seen} flows shown${missed ? `, ${missed} missed` : ""}`;
    fill("flows", FLOW_COLUMNS.map((name) => [name, NUMBERS.has(name) ? "number" : ""]),
      rows.map((row) => FLOW_COLUMNS.map((name) => cell(shown(name, row[name]), NUMBERS.has(name) ? "number" : ""))),
      "Waiting for flows …");
  });
  source.addEventListener("refused", () => { source.close(); $("live-state").textContent = "Too many clients watch flows already."; });
}

async function refresh() {
  if (document.hidden) return;
  const seconds = Number($("range").value);
  const results = await Promise.allSettled([showState(), showTraffic(seconds), showTop(seconds), showExporters()]);
  const failed = results.filter((result) => result.status === "rejected").map((result) => result.reason.message);
  $("error").hidden = !failed.length;
  $("error").textContent = [...new Set(failed)].join(" · ");
}

async function run() {
  for (;;) {
    await refresh();
    await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
  }
}

$("range").addEventListener("change", refresh);
$("dimensions").addEventListener("change", refresh);
document.addEventListener("visibilitychange", refresh);
run();
showLive();
