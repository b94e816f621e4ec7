import { flushPromises, type VueWrapper } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { useSession } from "@/composables/useSession";
import { useTheme } from "@/composables/useTheme";
import UserMenu from "@/layout/UserMenu.vue";
import SettingsPage from "@/pages/settings/SettingsPage.vue";
import { accessibilityFaults, answer, COLUMNS, mountPart, type Answers } from "@/testing/mount";

const CREATED = "2026-01-01T00:00:00Z";
const SESSION = {
  name: "alice",
  full_name: "Alice Example",
  email: "",
  role: "admin",
  scope_filter: "",
  via: "session",
  mode: "login",
  avatar_url: "",
  logout_url: "",
  csrf_token: "t",
  has_password: true,
  may: { share: true, operate: true, administer: true },
};
const VIEWER = { ...SESSION, role: "viewer", may: { share: false, operate: false, administer: false } };
const saved = (name: string, more: object = {}) => ({
  id: name,
  name,
  owner: "alice",
  own: true,
  shared: false,
  description: "",
  created: CREATED,
  updated: CREATED,
  ...more,
});
const user = (name: string, role: string) => ({
  name,
  role,
  full_name: "",
  email: "",
  scope_filter: "",
  enabled: true,
  source: "local",
  has_password: true,
  created: CREATED,
  last_login: null,
});
const text = (): string => document.body.textContent?.replaceAll(/\s+/g, " ").trim() ?? "";
const button = (words: string): HTMLButtonElement =>
  [...document.querySelectorAll("button")].find((one) => (one.getAttribute("aria-label") ?? one.textContent ?? "").includes(words))!;

async function open(section: string, answers: Answers = {}, session: object = SESSION) {
  const asked = answer({
    "GET /api/v1/session": session,
    "GET /api/v1/columns": COLUMNS,
    "GET /api/v1/filters": [],
    "POST /api/v1/filter/check": { ok: true, canonical: "", error: null, tokens: [], columns: [], raw: false },
    ...answers,
  });
  await useSession().reload();
  const mounted = await mountPart(SettingsPage, { props: { section }, path: `/settings/${section}` });
  return { asked, ...mounted };
}

async function click(words: string): Promise<void> {
  button(words).click();
  await flushPromises();
}
async function type(wrapper: VueWrapper | null, label: string, value: string): Promise<void> {
  const found = [...document.querySelectorAll("label")].find((one) => one.textContent?.trim().startsWith(label));
  const input = found!.querySelector<HTMLInputElement | HTMLSelectElement>("input, select")!;
  input.value = value;
  input.dispatchEvent(new Event(input.tagName === "SELECT" ? "change" : "input"));
  await (wrapper ? wrapper.vm.$nextTick() : flushPromises());
}

beforeEach(() => {
  vi.stubGlobal("location", { ...location, origin: location.origin, assign: vi.fn() });
});

describe("the sections", () => {
  it.each(["profile", "appearance"])("%s has no faults", async (section) => {
    await open(section);
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("show users to administrators alone", async () => {
    const { wrapper } = await open("users", {}, VIEWER);
    expect(wrapper.get("nav").text()).not.toContain("Users");
    expect(wrapper.get("[aria-current=page]").text()).toBe("Profile");
  });
});

describe("the profile", () => {
  it("says what it means that nobody logs in, and how to change it", async () => {
    const { wrapper } = await open("profile", {}, { ...SESSION, mode: "open", via: "open", has_password: false });
    expect(text()).toContain("Nobody logs in here");
    expect(wrapper.get("a[href='/docs/how-to/log-in']").text()).toBe("How to let people log in");
    expect(text()).not.toContain("Log out everywhere");
  });

  it("tells of a limit", async () => {
    await open("profile", {}, { ...VIEWER, scope_filter: 'InIfProvider = "a"' });
    expect(text()).toContain('InIfProvider = "a"');
    expect(text()).toContain("You see only flows that match this");
  });

  it("says that the old password is wrong without leaving the page", async () => {
    const refused = new Response(JSON.stringify({ title: "Unauthorized", detail: "refused" }), { status: 401 });
    const { wrapper } = await open("profile", { "POST /api/v1/session/password": refused });
    await type(wrapper, "Old password", "old");
    await type(wrapper, "New password", "fresh");
    await type(wrapper, "New password again", "fresh");
    await wrapper.get("form").trigger("submit");
    await flushPromises();

    expect(wrapper.get("[role=alert]").text()).toBe("The old password is wrong.");
    expect(useSession().needsLogin.value).toBe(false);
  });

  it("ends every session", async () => {
    const { asked } = await open("profile", { "DELETE /api/v1/session": new Response(null, { status: 204 }) });
    await click("Log out everywhere");
    const dialog = document.querySelector("dialog")!;
    [...dialog.querySelectorAll("button")].at(-1)!.click();
    await flushPromises();
    expect(asked.some(({ method, path }) => method === "DELETE" && path === "/api/v1/session")).toBe(true);
    expect(location.assign).toHaveBeenCalledWith("/login");
  });
});

describe("API tokens", () => {
  const token = {
    id: "abc",
    owner: "alice",
    name: "grafana",
    role: "viewer",
    mode: "login",
    manages: false,
    created: CREATED,
    expires: null,
    login_by: null,
    last_used: null,
    refused: null,
  };
  const submit = async (): Promise<void> => {
    document.querySelector("dialog form")!.dispatchEvent(new Event("submit"));
    await flushPromises();
  };

  it("are made with a role and an end, and shown once", async () => {
    const { asked } = await open("tokens", {
      "GET /api/v1/tokens": [token],
      "POST /api/v1/tokens": { ...token, token: "mlr_abc_secret", expires: "2026-04-01T00:00:00Z", login_by: "2026-03-01T00:00:00Z" },
    });
    expect(text()).toContain("does not expire");
    await click("New token");
    await type(null, "Name", "notebook");
    expect(button("Make the token").disabled).toBe(true);
    await type(null, "Your password", "correct horse");
    expect(button("Make the token").disabled).toBe(false);
    expect(await accessibilityFaults()).toEqual([]);
    await submit();

    expect(asked.find(({ method, path }) => method === "POST" && path === "/api/v1/tokens")?.body).toEqual({
      name: "notebook",
      role: "viewer",
      days: null,
      manages: false,
      password: "correct horse",
    });
    expect(text()).toContain("It ends on 2026-04-01");
    expect(text()).toMatch(/It is refused, too, if you do not log in until 2026-03-01/);
    expect(text()).toContain("It may not manage users or tokens.");
    expect(document.querySelector("[data-token]")?.textContent).toBe("mlr_abc_secret");
    expect(text()).toContain("it is not shown again");
    expect(await accessibilityFaults()).toEqual([]);
    await click("Done");
    expect(text()).not.toContain("mlr_abc_secret");
  });

  it("are made for as long as is chosen", async () => {
    const { asked } = await open("tokens", {
      "GET /api/v1/tokens": [],
      "POST /api/v1/tokens": { ...token, token: "mlr_abc_secret" },
    });
    await click("New token");
    await type(null, "Name", "notebook");
    const lives = [...document.querySelectorAll("dialog label")].find((one) => one.textContent?.includes("Ends in"))!.querySelector("select")!;
    lives.selectedIndex = 2;
    lives.dispatchEvent(new Event("change"));
    await type(null, "Your password", "correct horse");
    await submit();
    expect(asked.find(({ method, path }) => method === "POST" && path === "/api/v1/tokens")?.body).toMatchObject({ days: 30 });
  });

  it("say who must log in until when", async () => {
    const gone = { ...token, id: "def", name: "old", login_by: "2026-02-01T00:00:00Z", refused: "is of 'alice', who has not logged in" };
    await open("tokens", { "GET /api/v1/tokens": [{ ...token, owner: "bob", login_by: "2026-03-01T00:00:00Z" }, gone] });
    expect(text()).toMatch(/needs a log-in of bob by 2026-03-01/);
    expect(text()).not.toContain("2026-02-01");
  });

  it("say that the password is wrong, and stay", async () => {
    const refused = new Response(JSON.stringify({ title: "Unauthorized", detail: "refused" }), { status: 401 });
    await open("tokens", { "GET /api/v1/tokens": [], "POST /api/v1/tokens": refused });
    await click("New token");
    await type(null, "Name", "notebook");
    await type(null, "Your password", "wrong");
    await submit();
    expect(document.querySelector("dialog [role=alert]")?.textContent).toBe("The password is wrong.");
    expect(useSession().needsLogin.value).toBe(false);
  });

  it("manage only if that is asked for, and only with the role admin", async () => {
    const { asked } = await open("tokens", {
      "GET /api/v1/tokens": [],
      "POST /api/v1/tokens": { ...token, manages: true, token: "mlr_abc_secret" },
    });
    await click("New token");
    expect(text()).not.toContain("May manage users and tokens");
    await type(null, "Name", "deploy");
    await type(null, "Role", "admin");
    document.querySelector<HTMLInputElement>("dialog input[type=checkbox]")!.click();
    await type(null, "Your password", "correct horse");
    await submit();
    expect(asked.find(({ method, path }) => method === "POST" && path === "/api/v1/tokens")?.body).toMatchObject({ role: "admin", manages: true });
    expect(text()).toContain("It may manage users and tokens.");
  });

  it("ask for no password where there is none", async () => {
    const made = { "GET /api/v1/tokens": [], "POST /api/v1/tokens": { ...token, token: "mlr_abc_secret" } };
    const { asked } = await open("tokens", made, { ...SESSION, has_password: false });
    await click("New token");
    expect(text()).toContain("This needs a log-in of the last minutes.");
    await type(null, "Name", "notebook");
    await submit();
    expect(asked.find(({ method, path }) => method === "POST" && path === "/api/v1/tokens")?.body).toMatchObject({ password: null });
  });

  it("say what they may, and why they are refused", async () => {
    const refused = "was made in the mode open, but this is the mode login; make another one";
    await open("tokens", { "GET /api/v1/tokens": [{ ...token, manages: true, refused }] });
    expect(text()).toContain("manages users");
    expect(text()).toContain(`It is refused: it ${refused}.`);
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("are revoked after a question", async () => {
    const { asked } = await open("tokens", {
      "GET /api/v1/tokens": [token],
      "DELETE /api/v1/tokens/abc": new Response(null, { status: 204 }),
    });
    await click("Revoke grafana");
    expect(asked.some(({ method }) => method === "DELETE")).toBe(false);
    [...document.querySelectorAll<HTMLButtonElement>("dialog button")].at(-1)!.click();
    await flushPromises();
    expect(asked.some(({ method, path }) => method === "DELETE" && path === "/api/v1/tokens/abc")).toBe(true);
    expect(document.querySelector("dialog")).toBeNull();
  });
});

describe("what is saved", () => {
  const filters = [
    saved("dns", { text: "Proto = udp" }),
    saved("web", { text: "DstPort = 80", shared: true, own: false, owner: "erin" }),
  ];

  it("filters are shared, and changed by those who may", async () => {
    const { asked } = await open("filters", { "GET /api/v1/filters": filters, "PATCH /api/v1/filters/dns": filters[0] });
    expect(text()).toContain("@dns");
    expect(text()).toContain("of erin");
    await click("Share dns");
    expect(asked.find(({ method }) => method === "PATCH")?.body).toEqual({ shared: true });
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("a viewer neither shares nor changes what is shared", async () => {
    await open("filters", { "GET /api/v1/filters": filters }, VIEWER);
    expect(button("Share")).toBeUndefined();
    expect([button("Edit dns"), button("Edit web")].map(Boolean)).toEqual([true, false]);
  });

  it("a filter that is wrong stays open with the server's words", async () => {
    const wrong = new Response(JSON.stringify({ title: "Bad Request", detail: "unknown column 'SrcAsn'" }), { status: 400 });
    await open("filters", { "GET /api/v1/filters": filters, "PATCH /api/v1/filters/dns": wrong });
    await click("Edit dns");
    document.querySelector("dialog form")!.dispatchEvent(new Event("submit"));
    await flushPromises();
    expect(document.querySelector("dialog [role=alert]")?.textContent).toBe("unknown column 'SrcAsn'");
  });

  it("views open, are renamed and deleted", async () => {
    const view = saved("Ports", { state: { kind: "bars", dimensions: ["DstPort"], filter: "Proto = tcp" } });
    const { asked, wrapper } = await open("views", {
      "GET /api/v1/views": [view],
      "PATCH /api/v1/views/Ports": view,
      "DELETE /api/v1/views/Ports": new Response(null, { status: 204 }),
    });
    expect(wrapper.get("li a[href^='/explore']").attributes("href")).toContain("graph=bars");
    expect(text()).toContain("Bars · Destination port");
    expect(await accessibilityFaults()).toEqual([]);

    await click("Edit Ports");
    await type(null, "Name", "Busy ports");
    document.querySelector("dialog form")!.dispatchEvent(new Event("submit"));
    await flushPromises();
    expect(asked.find(({ method }) => method === "PATCH")?.body).toEqual({ name: "Busy ports", description: "" });

    await click("Delete Ports");
    [...document.querySelectorAll<HTMLButtonElement>("dialog button")].at(-1)!.click();
    await flushPromises();
    expect(asked.some(({ method }) => method === "DELETE")).toBe(true);
  });
});

describe("users", () => {
  const users = [user("alice", "admin"), user("bob", "viewer")];

  it("keep the last administrator", async () => {
    await open("users", { "GET /api/v1/users": users });
    expect(button("Remove alice").disabled).toBe(true);
    expect(button("Remove bob").disabled).toBe(false);
    expect(text()).toContain("The last administrator cannot be removed");
    expect(await accessibilityFaults()).toEqual([]);

    await click("Change alice");
    expect(document.querySelector<HTMLFieldSetElement>("dialog fieldset")?.disabled).toBe(true);
    expect(document.querySelector("dialog")?.textContent).not.toContain("May log in");
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("are added with an initial password", async () => {
    const { asked } = await open("users", { "GET /api/v1/users": users, "POST /api/v1/users": user("carol", "viewer") });
    await click("New user");
    await type(null, "Name", "carol");
    await type(null, "Initial password", "correct horse");
    document.querySelector("dialog form")!.dispatchEvent(new Event("submit"));
    await flushPromises();
    expect(asked.find(({ method, path }) => method === "POST" && path === "/api/v1/users")?.body).toEqual({
      name: "carol",
      role: "viewer",
      password: "correct horse",
      full_name: "",
      email: "",
      scope_filter: "",
    });
    expect(document.querySelector("dialog")).toBeNull();
  });

  it("are added with the own password where the log-in was a while ago", async () => {
    const refuse = (status: number, detail: string) => new Response(JSON.stringify({ title: "Refused", detail }), { status });
    const proofs = { right: user("carol", "viewer"), wrong: refuse(401, "refused") };
    const { asked } = await open("users", {
      "GET /api/v1/users": users,
      "POST /api/v1/users": ({ own_password: said }: { own_password?: keyof typeof proofs }) =>
        said ? proofs[said] : refuse(403, "this needs your password, or a log-in of the last 10 minutes"),
    });
    const submit = async (): Promise<void> => {
      document.querySelector("dialog form")!.dispatchEvent(new Event("submit"));
      await flushPromises();
    };
    await click("New user");
    await type(null, "Name", "carol");
    expect(text()).not.toContain("Your password");
    await submit();
    expect(text()).toContain("this needs your password");
    expect(button("Add the user").disabled).toBe(true);
    expect(await accessibilityFaults()).toEqual([]);

    await type(null, "Your password", "wrong");
    await submit();
    expect(document.querySelector("dialog [role=alert]")?.textContent).toBe("Your password is wrong.");
    expect(useSession().needsLogin.value).toBe(false);

    await type(null, "Your password", "right");
    await submit();
    expect(asked.filter(({ method }) => method === "POST").at(-1)?.body).toMatchObject({ name: "carol", own_password: "right" });
    expect(document.querySelector("dialog")).toBeNull();
  });
});

describe("about", () => {
  const anybody = "Anybody who reaches UDP port 2055 may send flows, in the name of any exporter: receive.allow is empty.";
  const answers = {
    "GET /health": {
      status: "degraded",
      components: {
        receive: { status: "ok", reasons: [], last_error: "", last_error_at: null, notes: [anybody] },
        writer: { status: "degraded", reasons: ["flows were given up: 7"], last_error: "disk full", last_error_at: "2026-01-01T12:00:00Z", notes: [] },
      },
    },
    "GET /api/v1/status": { version: "1.2.3", health: "ok", stored_flows: 5, not_decoded: { "set: bad-length": 2 } },
    "GET /api/v1/store": { tables: { flows: { rows: 5, bytes_on_disk: 100, oldest_ms: 1, newest_ms: 2, keep_days: 15 } } },
    "GET /api/v1/help/reference%2Freasons": {
      path: "reference/reasons",
      title: "Reasons",
      section: "Reference",
      toc: [],
      html: "<table><tr><td><code>bad-length</code></td><td>cannot be true</td><td>look at it</td></tr></table>",
    },
  };

  it("tells of the version, the store and what was not stored", async () => {
    await open("about", answers);
    for (const words of ["Millrace 1.2.3", "healthy", anybody, "Needs attention: writer: flows were given up: 7", "Single flows", "bad-length", "cannot be true", "look at it"]) {
      expect(text()).toContain(words);
    }
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("says so if there is nothing to tell, and why it fails if it fails", async () => {
    const well = { status: "ok", reasons: [], last_error: "", last_error_at: null, notes: [] };
    await open("about", { ...answers, "GET /health": { status: "ok", components: { receive: well } } });
    expect(text()).toContain("Every part works.");

    document.body.innerHTML = "";
    const report = { status: "failed", components: { writer: { ...well, status: "failed", reasons: ["flows wait, the store refuses them"] } } };
    const failed = new Response(JSON.stringify(report), { status: 503, headers: { "Content-Type": "application/json" } });
    await open("about", { ...answers, "GET /health": failed });
    expect(text()).toContain("Fails: writer: flows wait, the store refuses them");
    expect(text()).not.toContain("Every part works.");
  });

  it("tells those who see a part of the flows the version alone", async () => {
    const { asked } = await open("about", answers, VIEWER);
    expect(text()).toContain("Millrace 1.2.3");
    expect(asked.some(({ path }) => path === "/api/v1/store" || path === "/health")).toBe(false);
  });
});

describe("the appearance", () => {
  it("changes the theme at once", async () => {
    const { wrapper } = await open("appearance");
    await wrapper.findAll("input[name=theme]")[2]!.setValue();
    expect(useTheme().theme.value).toBe("dark");
    useTheme().set("system");
  });
});

describe("the user menu", () => {
  it("leads to the sections and logs out", async () => {
    answer({ "GET /api/v1/session": SESSION, "DELETE /api/v1/session": new Response(null, { status: 204 }) });
    await useSession().reload();
    const { wrapper, router } = await mountPart(UserMenu);
    expect(wrapper.text()).toContain("Alice Example");

    await wrapper.get("button").trigger("click");
    expect(wrapper.findAll("[role=menuitem]").map((item) => item.text())).toEqual([
      "Profile",
      "API tokens",
      "Saved filters",
      "Saved views",
      "Users",
      "Appearance",
      "About Millrace",
      "Log out",
    ]);
    expect(await accessibilityFaults()).toEqual([]);
    await wrapper.findAll("[role=menuitem]")[1]!.trigger("click");
    await flushPromises();
    expect(router.currentRoute.value.fullPath).toBe("/settings/tokens");

    await wrapper.get("button").trigger("click");
    await wrapper.findAll("[role=menuitem]").at(-1)!.trigger("click");
    await flushPromises();
    expect(location.assign).toHaveBeenCalledWith("/login");
  });

  it("does not log out where nobody logs in", async () => {
    answer({ "GET /api/v1/session": { ...SESSION, via: "open", mode: "open" } });
    await useSession().reload();
    const { wrapper } = await mountPart(UserMenu);
    expect(wrapper.text()).toContain("No login");
    await wrapper.get("button").trigger("click");
    expect(wrapper.text()).not.toContain("Log out");
  });
});
