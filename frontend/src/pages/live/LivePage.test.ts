import { flushPromises } from "@vue/test-utils";
import { effectScope } from "vue";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useServerStatus } from "@/composables/useServerStatus";
import { COLUMNS, FLOW } from "@/pages/flows/testing";
import LivePage from "@/pages/live/LivePage.vue";
import { top } from "@/graphs/testing/answers";
import { accessibilityFaults, answer, mountPart, type Answers } from "@/testing/mount";

vi.mock("@/charts/echarts", () => ({
  init: () => ({ setOption() {}, on() {}, dispatchAction() {}, resize() {}, dispose() {} }),
}));
// The plain field does the same, and can be typed into here.
vi.mock("@/components/filter/editor", () => {
  throw new Error("the chunk did not load");
});

interface Stream {
  url: URL;
  signal: AbortSignal;
  say: (body: object, event?: string) => Promise<void>;
  end: () => Promise<void>;
}
let streams: Stream[] = [];
let refuse: Response | null = null;

/** A server whose stream says what the test wants. */
function serve(answers: Answers = {}): void {
  answer({
    "GET /api/v1/columns": COLUMNS,
    "GET /api/v1/filters": [],
    "POST /api/v1/filter/check": { ok: true, canonical: "", error: null, tokens: [], columns: [], raw: false },
    "POST /api/v1/filter/combine": { text: "combined" },
    "POST /api/v1/flows/top": {
      dimensions: ["SrcAddr"],
      unit: "bits/s",
      rows: [{ dimensions: ["192.0.2.1"], labels: ["192.0.2.1"], value: 5e6, share: 0.5, bytes: 1, packets: 1, flows: 1 }],
    },
    ...answers,
  });
  const others = globalThis.fetch;
  vi.stubGlobal("fetch", (request: Request) => {
    const url = new URL(request.url);
    if (url.pathname !== "/api/v1/flows/live") return others(request);
    if (refuse) return Promise.resolve(refuse.clone());
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({ start: (made) => void (controller = made) });
    request.signal.addEventListener("abort", () => {
      try {
        controller.error(request.signal.reason);
      } catch {
        // It had ended.
      }
    });
    streams.push({
      url,
      signal: request.signal,
      async say(event, name = "flows") {
        controller.enqueue(new TextEncoder().encode(`event: ${name}\ndata: ${JSON.stringify(event)}\n\n`));
        await settle();
      },
      async end() {
        controller.close();
        await settle();
      },
    });
    return Promise.resolve(new Response(body, { headers: { "Content-Type": "text/event-stream" } }));
  });
}
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await flushPromises();
}
const event = (ports: number[], seen = ports.length, missed = 0) => ({
  flows: ports.map((SrcPort) => ({ ...FLOW, SrcPort })),
  seen,
  missed,
  rates: { flows_per_second: seen * 2, packets_per_second: 10, bits_per_second: 8000 },
});
const text = (): string => document.body.textContent?.replaceAll(/\s+/g, " ").trim() ?? "";
const button = (name: string): HTMLElement => {
  const found = [...document.querySelectorAll<HTMLElement>("button, [role=menuitem]")].find((one) => one.textContent?.trim().startsWith(name));
  if (!found) throw new Error(`no button ${name}`);
  return found;
};
async function live(path = "/live") {
  const { wrapper, router } = await mountPart(LivePage, { path });
  await settle();
  const ports = () => wrapper.findAll("[data-row]").map((row) => row.get("td:nth-child(3)").text());
  return { wrapper, router, ports, stream: () => streams.at(-1)! };
}
function hide(hidden: boolean): void {
  vi.spyOn(document, "hidden", "get").mockReturnValue(hidden);
  document.dispatchEvent(new Event("visibilitychange"));
}

beforeEach(() => {
  localStorage.clear();
  streams = [];
  refuse = null;
  document.body.innerHTML = '<div id="page-actions"></div>';
  vi.stubGlobal("ResizeObserver", class { observe() {} disconnect() {} });
  vi.useFakeTimers({ now: Date.parse("2026-01-31T12:00:00Z"), toFake: ["Date", "setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  serve();
});
afterEach(() => void vi.useRealTimers());

describe("the live page", () => {
  it("shows flows as they pass, and says how many of how many", async () => {
    const { stream, ports } = await live("/live?filter=DstPort+%3D+53&rate=5");
    expect(stream().url.searchParams.get("filter")).toBe("DstPort = 53");
    expect(stream().url.searchParams.get("rate")).toBe("5");
    expect(stream().url.searchParams.getAll("column")).toContain("SrcASName");

    await stream().say(event([1]));
    for (let second = 0; second < 3; second++) {
      vi.setSystemTime(Date.now() + 1000);
      await stream().say(event([10 + second], 2031));
    }
    expect(ports()[0]).toBe("12");
    expect(text()).toContain("showing 1 of 2 031 per second");
    expect(text()).toContain("8.00 kbit/s");
    expect(text()).toContain("4.06 k flows/s");
    vi.useRealTimers();
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("holds the list with the space key, and says what waits and what was missed", async () => {
    const { stream, ports } = await live();
    await stream().say(event([1]));
    document.dispatchEvent(new KeyboardEvent("keydown", { key: " ", cancelable: true }));
    await settle();
    await stream().say(event([2, 3], 2, 17));
    expect(ports()).toEqual(["1"]);
    expect(text()).toContain("paused, 2 newer");
    expect(text()).toContain("17 missed");

    button("Go on").click();
    await settle();
    expect(ports()).toEqual(["3", "2", "1"]);
  });

  it("holds the list while the pointer is over it", async () => {
    const { stream, ports, wrapper } = await live();
    await stream().say(event([1]));
    const list = wrapper.get("[role=grid]").element.parentElement!.parentElement!;
    list.dispatchEvent(new Event("pointerenter"));
    await settle();
    await stream().say(event([2]));
    expect(ports()).toEqual(["1"]);
    list.dispatchEvent(new Event("pointerleave"));
    await settle();
    expect(ports()).toEqual(["2", "1"]);
  });

  it("connects again when the stream breaks off, and says so", async () => {
    const { stream } = await live();
    await stream().say(event([1]));
    await stream().end();
    expect(text()).toContain("The stream ended. Trying again in 1 s.");
    await vi.advanceTimersByTimeAsync(1000);
    await settle();
    expect(streams).toHaveLength(2);
    await stream().say(event([2]));
    expect(text()).not.toContain("The stream ended");
  });

  it("takes silence for a broken connection", async () => {
    const { stream } = await live();
    await stream().say(event([1]));
    await vi.advanceTimersByTimeAsync(5000);
    await settle();
    expect(text()).toContain("Nothing was heard for five seconds.");
  });

  it("does not promise what is stored by a server that hangs, though it said so before", async () => {
    let hangs = false;
    serve({
      "GET /api/v1/status": { version: "1", health: "ok", storing: "yes" },
      "GET /api/v1/session": () => (hangs ? new Promise(() => {}) : {}),
    });
    const scope = effectScope();
    scope.run(() => useServerStatus());
    const { stream } = await live();
    await stream().say(event([1]));
    hangs = true;
    await vi.advanceTimersByTimeAsync(5000);
    await settle();
    expect(text()).toContain("Nothing was heard for five seconds.");
    expect(text()).toContain("stored only if the collector still runs");
    expect(text()).not.toContain("is stored and found under Flows");
    scope.stop();
  });

  it("says that flows are stored where the server answers and the stream alone broke off", async () => {
    serve({ "GET /api/v1/status": { version: "1", health: "ok", storing: "yes" }, "GET /api/v1/session": {} });
    const scope = effectScope();
    scope.run(() => useServerStatus());
    const { stream } = await live();
    await stream().say(event([1]));
    await stream().end();
    await settle();
    expect(text()).toContain("The stream ended. Trying again in 1 s. What passes meanwhile is stored and found under Flows.");
    scope.stop();
  });

  it("says of its talkers that implausible flows count, and can leave them out", async () => {
    const bodies: Record<string, unknown>[] = [];
    serve({
      "POST /api/v1/flows/top": (body: Record<string, unknown>) => {
        bodies.push(body);
        return top({ implausible_flows: 2 });
      },
    });
    const { wrapper } = await live();
    await vi.advanceTimersByTimeAsync(200);
    await settle();
    expect(wrapper.get("[data-notes]").text()).toContain("2 implausible flows count");
    await wrapper.get("[data-notes] button").trigger("click");
    await vi.advanceTimersByTimeAsync(200);
    await settle();
    expect(bodies.at(-1)).toMatchObject({ leave_out_implausible: true });
  });

  it("does not ask again what is refused", async () => {
    refuse = new Response(JSON.stringify({ title: "Bad Request", detail: "unknown column 'SrcPrt'" }), { status: 400 });
    await live("/live?filter=SrcPrt+%3D+1");
    expect(document.querySelector("[role=alert]")!.textContent).toContain("unknown column 'SrcPrt'");
    refuse = null;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(streams).toHaveLength(0);
  });

  it("waits when there is no room", async () => {
    const { stream } = await live();
    await stream().say({}, "refused");
    expect(text()).toContain("Too many watch flows at the same time.");
    await vi.advanceTimersByTimeAsync(1000);
    await settle();
    expect(streams).toHaveLength(2);
  });

  it("pauses while the tab is hidden", async () => {
    const { stream } = await live();
    await stream().say(event([1]));
    hide(true);
    expect(stream().signal.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(streams).toHaveLength(1);
    hide(false);
    await settle();
    expect(streams).toHaveLength(2);
  });

  it("begins anew with another filter", async () => {
    const { stream, wrapper, router } = await live();
    await stream().say(event([1]));
    await wrapper.get("[data-row='0'] td:nth-child(2) button").trigger("click");
    await settle();
    button("Exclude 192.0.2.1").click();
    await settle();
    expect(router.currentRoute.value.query["filter"]).toBe("combined");
    expect(streams).toHaveLength(2);
    expect(stream().url.searchParams.get("filter")).toBe("combined");
    expect(text()).toContain("Waiting for flows");
  });

  it("leads from a talker to its graph and its flows", async () => {
    const { router } = await live();
    await vi.advanceTimersByTimeAsync(200);
    await settle();
    expect(text()).toContain("192.0.2.15.00 Mbit/s50.0 %");
    document.querySelector<HTMLElement>("[aria-label='Flows of 192.0.2.1']")!.click();
    await settle();
    expect(router.currentRoute.value).toMatchObject({ name: "flows", query: { filter: "combined", from: "now-15m" } });
  });
});
