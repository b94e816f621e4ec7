import { flushPromises } from "@vue/test-utils";
import { beforeEach, describe, expect, it } from "vitest";
import { nextTick } from "vue";
import { useSession } from "@/composables/useSession";
import { serverStatusOf } from "@/composables/useServerStatus";
import AppShell from "@/layout/AppShell.vue";
import { matching, type Command } from "@/layout/useCommands";
import { accessibilityFaults, answer, mountPart } from "@/testing/mount";
import { soon } from "@/testing/soon";

const SESSION = {
  name: "alice",
  full_name: "Alice",
  role: "editor",
  via: "session",
  csrf_token: "t",
  may: { share: true, operate: true, administer: false },
};

const press = (key: string, init: KeyboardEventInit = {}) =>
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...init }));

describe("the shell", () => {
  beforeEach(async () => {
    answer({
      "GET /api/v1/status": { version: "1.2.3", health: "ok" },
      "GET /api/v1/session": SESSION,
      "GET /api/v1/filters": [],
      "GET /api/v1/views": [],
      "GET /api/v1/dashboards": [],
    });
    await useSession().reload();
  });

  it("names the page, marks it in the navigation and has no faults", async () => {
    const { wrapper } = await mountPart(AppShell, { path: "/exporters/192.0.2.1" });

    expect(wrapper.get("h1").text()).toBe("Exporter");
    const current = wrapper.findAll("[aria-current=page]").map((link) => link.text());
    expect(current).toContain("Exporters");
    expect(wrapper.text()).toContain("Alice");
    const state = wrapper.get("[aria-label^='State of the server']");
    // Where the reasons are.
    expect([state.text(), state.attributes("href")]).toEqual(["Healthy", "/settings/about"]);
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("goes to pages by keys, and shows the keys", async () => {
    const { router } = await mountPart(AppShell);
    press("g");
    press("x");
    await flushPromises();
    expect(router.currentRoute.value.name).toBe("exporters");

    press("?", { shiftKey: true });
    // The dialog is a chunk of its own.
    await soon(() => expect(document.querySelector("dialog")?.textContent).toContain("Go to Explore"));
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("finds pages by Ctrl+K", async () => {
    const { router } = await mountPart(AppShell);
    press("k", { ctrlKey: true });
    await soon(() => expect(document.querySelector("dialog input")).not.toBeNull());
    const input = document.querySelector<HTMLInputElement>("dialog input")!;
    expect(document.activeElement).toBe(input);
    input.value = "dash";
    input.dispatchEvent(new Event("input"));
    await nextTick();
    expect(document.querySelector("[role=option]")?.textContent).toContain("Dashboards");
    expect(await accessibilityFaults()).toEqual([]);

    input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
    await flushPromises();

    expect(router.currentRoute.value.name).toBe("dashboards");
    expect(document.querySelector("dialog")).toBeNull();
  });
});

describe("what the shell is told", () => {
  it("reads the server's state", () => {
    expect(serverStatusOf({ version: "1", health: "degraded" })).toMatchObject({ state: "degraded", version: "1" });
  });

  it("ranks commands", () => {
    const commands = ["My flows", "Flows", "Live"].map((label) => ({ label, kind: "Page" }) as Command);
    expect(matching(commands, "flow").map(({ label }) => label)).toEqual(["Flows", "My flows"]);
  });
});
