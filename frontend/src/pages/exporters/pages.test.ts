import { flushPromises } from "@vue/test-utils";
import { beforeEach, describe, expect, it } from "vitest";
import { useSession } from "@/composables/useSession";
import { series } from "@/graphs/testing/answers";
import ExporterPage from "@/pages/exporters/ExporterPage.vue";
import ExportersPage from "@/pages/exporters/ExportersPage.vue";
import { DETAIL, EXPORTER, problem } from "@/pages/exporters/testing/exporter";
import { accessibilityFaults, answer, mountPart, type Answers } from "@/testing/mount";
import { soon } from "@/testing/soon";

const session = (operate: boolean) => ({
  name: "alice",
  role: "admin",
  via: "session",
  csrf_token: "t",
  may: { share: true, operate, administer: true },
});
const text = (): string => document.body.textContent?.replaceAll(/\s+/g, " ").trim() ?? "";

async function answering(answers: Answers, operate = true) {
  const asked = answer({
    "GET /api/v1/session": session(operate),
    "POST /api/v1/flows/exporters": [{ address: EXPORTER.address, interfaces: [{ index: 0 }, { index: 7 }] }],
    "POST /api/v1/filter/combine": { text: "ExporterAddress = 192.0.2.1 AND InIf = 7" },
    ...answers,
  });
  await useSession().reload();
  return asked;
}

beforeEach(() => {
  // Where page actions go.
  document.body.innerHTML = '<div id="page-actions"></div>';
});

describe("the list of exporters", () => {
  it("begins with what needs attention and what to do, and leads to each exporter", async () => {
    const well = { ...EXPORTER, address: "192.0.2.9", name: "core9", problems: [] };
    await answering({ "GET /api/v1/exporters": [EXPORTER, well] });
    const { wrapper } = await mountPart(ExportersPage, { path: "/exporters" });

    const attention = wrapper.findAll("section").find((section) => section.text().includes("What needs attention"))!;
    expect(attention.text()).toContain("No template 256 from 192.0.2.1.");
    expect(attention.text()).toContain("Look at it.");
    expect(attention.text()).not.toContain("core9");
    const link = wrapper.findAll("td a").find((one) => one.text() === "core9")!;
    expect(link.attributes("href")).toBe("/exporters/192.0.2.9");
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("says when anybody may send, also before anybody has", async () => {
    const said = (notes: string[]) => ({ status: "ok", reasons: [], last_error: "", last_error_at: null, notes });
    const anybody = "Anybody who reaches UDP port 2055 may send flows, in the name of any exporter: receive.allow is empty.";
    const components = { receive: said([anybody]), names: said(["of something else"]) };
    for (const exporters of [[EXPORTER], []]) {
      await answering({ "GET /api/v1/exporters": exporters, "GET /health": { status: "ok", components } });
      const { wrapper } = await mountPart(ExportersPage, { path: "/exporters" });
      expect(text()).toContain(anybody);
      expect(text()).not.toContain("of something else");
      expect(wrapper.get("a[href='/docs/how-to/keep-strangers-out']").text()).toBe("Accept flows from your exporters only");
      expect(await accessibilityFaults()).toEqual([]);
      wrapper.unmount();
    }

    await answering({ "GET /api/v1/exporters": [EXPORTER], "GET /health": { status: "ok", components: { receive: said([]) } } });
    await mountPart(ExportersPage, { path: "/exporters" });
    expect(text()).not.toContain("Who may send");
  });

  it("is searched, and the search is in the address", async () => {
    await answering({ "GET /api/v1/exporters": [EXPORTER, { ...EXPORTER, address: "192.0.2.9", name: "core9" }] });
    const { wrapper, router } = await mountPart(ExportersPage, { path: "/exporters" });

    await wrapper.get("input[type=search]").setValue("core9");
    await flushPromises();

    expect(wrapper.findAll("tbody tr")).toHaveLength(1);
    expect(router.currentRoute.value.query["q"]).toBe("core9");
  });

  it("says how to begin if nobody has sent anything", async () => {
    await answering({ "GET /api/v1/exporters": [] });
    const { wrapper } = await mountPart(ExportersPage, { path: "/exporters" });
    expect(wrapper.get("a").attributes("href")).toBe("/docs/how-to/connect-a-router");
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("is not for those who see a part of the flows", async () => {
    const asked = await answering({}, false);
    await mountPart(ExportersPage, { path: "/exporters" });
    expect(text()).toContain("You see a part of the flows");
    expect(asked.some(({ path }) => path.endsWith("/exporters"))).toBe(false);
  });
});

describe("an exporter", () => {
  const mountPage = () => mountPart(ExporterPage, { props: { address: "192.0.2.1" }, path: "/exporters/192.0.2.1" });

  it("shows problems, interfaces, domains, sampling, waiting sets, templates and the last issue", async () => {
    await answering({ "GET /api/v1/exporters/192.0.2.1": DETAIL });
    await mountPage();
    for (const words of ["Its clock is 7 minutes ahead.", "Transit: Example", "90.0 %", "full", "announced in options", "256"]) {
      expect(text()).toContain(words);
    }
    expect(text()).toContain("bad-length: set 0 at byte 0");
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("opens a template to its fields", async () => {
    await answering({ "GET /api/v1/exporters/192.0.2.1": DETAIL });
    const { wrapper } = await mountPage();
    const details = wrapper.get("details");
    expect(details.text()).not.toContain("sourceIPv4Address");

    (details.element as HTMLDetailsElement).open = true;
    await details.trigger("toggle");

    expect(details.text()).toContain("sourceIPv4Address");
    expect(details.text()).toContain("enterprise 9999, element 1");
    expect(details.text()).toContain("variable");
  });

  it("leads from an interface to its flows by a filter that the server wrote", async () => {
    const asked = await answering({ "GET /api/v1/exporters/192.0.2.1": DETAIL });
    const { wrapper, router } = await mountPage();

    await wrapper.get("[title='Explore what comes in at ae1']").trigger("click");
    await flushPromises();

    expect(asked.filter(({ path }) => path === "/api/v1/filter/combine").at(-1)?.body).toEqual({
      text: "",
      timezone: "UTC",
      clauses: [
        { column: "ExporterAddress", value: "192.0.2.1", exclude: false },
        { column: "InIf", value: 7, exclude: false },
      ],
    });
    expect(router.currentRoute.value).toMatchObject({
      name: "explore",
      query: { filter: "ExporterAddress = 192.0.2.1 AND InIf = 7" },
    });
  });

  it("says of its graph for which time there are data, and of implausible flows, which can be left out", async () => {
    const asked = await answering({
      "GET /api/v1/exporters/192.0.2.1": DETAIL,
      "POST /api/v1/flows/series": series({ asked_start: "2026-01-31T11:04:00Z", start: "2026-01-31T11:04:00Z", implausible_flows: 2 }),
    });
    const { wrapper } = await mountPage();
    await soon(() => expect(wrapper.find("[data-notes]").exists()).toBe(true));
    expect(wrapper.get("[data-notes]").text()).toContain("there are data for 2026-01-31 12:00 – 12:04 UTC");

    await wrapper.get("[data-notes] button").trigger("click");
    await soon(() => expect(wrapper.get("[data-notes]").text()).toContain("2 flows with figures that cannot be right are left out."));
    expect(asked.filter(({ path }) => path === "/api/v1/flows/series").at(-1)?.body).toMatchObject({ leave_out_implausible: true });
  });

  it("calls mere hints hints", async () => {
    const exporter = { ...EXPORTER, problems: [problem("info", "No name is known of interface 5.")] };
    await answering({ "GET /api/v1/exporters/192.0.2.1": { ...DETAIL, exporter } });
    await mountPage();
    expect(text()).toContain("Hints");
    expect(text()).not.toContain("What needs attention");
  });

  it("that was not seen is told in the server's words", async () => {
    const missing = new Response(JSON.stringify({ title: "Not Found", detail: "no exporter '192.0.2.1' has been seen since the start" }), {
      status: 404,
    });
    await answering({ "GET /api/v1/exporters/192.0.2.1": () => missing.clone() });
    await mountPage();
    expect(text()).toContain("no exporter '192.0.2.1' has been seen since the start");
  });
});
