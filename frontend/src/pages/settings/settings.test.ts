import { describe, expect, it } from "vitest";
import { exploration } from "@/graphs/exploration";
import { keptWords, storeFacts, tableName, totals } from "@/pages/settings/about";
import { otherDrops, reasonWords, undecoded } from "@/pages/settings/drops";
import { rolesUpTo } from "@/pages/settings/roles";
import { mayChange } from "@/pages/settings/saved";
import { sectionOf, sectionsFor } from "@/pages/settings/sections";
import { expiry, tryIt } from "@/pages/settings/tokens";
import { changeOf, formOf, isLastAdmin, loginWords, newUser, type User } from "@/pages/settings/users";
import { viewWords } from "@/pages/settings/viewWords";

const plain = (text: string): string => text.replaceAll(/[\u00a0\u202f]/g, " ");

describe("sections", () => {
  const may = (administer: boolean) => ({ may: { share: administer, operate: true, administer } });

  it("of users are for administrators", () => {
    expect(sectionsFor(may(true)).map(({ key }) => key)).toContain("users");
    expect(sectionsFor(may(false)).map(({ key }) => key)).not.toContain("users");
    expect(sectionsFor(null).map(({ key }) => key)).not.toContain("users");
  });

  it("that are not shown or do not exist give way to the first", () => {
    const shown = sectionsFor(may(false));
    expect([sectionOf("about", shown), sectionOf("users", shown), sectionOf("nonsense", shown), sectionOf(undefined, shown)]).toEqual([
      "about",
      "profile",
      "profile",
      "profile",
    ]);
  });
});

describe("what is saved", () => {
  it("is changed by its owner, what is shared by those who may share", () => {
    expect(mayChange({ own: true, shared: false }, false)).toBe(true);
    expect(mayChange({ own: true, shared: true }, false)).toBe(false);
    expect(mayChange({ own: false, shared: true }, true)).toBe(true);
  });

  it("is described in a line", () => {
    const view = exploration({ kind: "bars", dimensions: ["DstPort", "Proto"], from: "now-1h" });
    expect(viewWords(view, (name) => name)).toBe("Bars · DstPort, Proto · IP bit/s · now-1h");
    expect(viewWords({ ...view, to: "yesterday" }, (name) => name)).toContain("now-1h to yesterday");
  });
});

describe("tokens", () => {
  const now = Date.parse("2026-01-10T00:00:00Z");

  it("say when they end", () => {
    const told = (expires: string | null) => expiry({ expires }, now);
    expect(told(null)).toEqual({ words: "does not expire", tone: "good" });
    expect([plain(told("2026-01-12T00:00:00Z").words), told("2026-01-12T00:00:00Z").tone]).toEqual(["expires in 2 d", "warn"]);
    expect(told("2026-06-01T00:00:00Z").tone).toBe("good");
    expect([plain(told("2026-01-09T00:00:00Z").words), told("2026-01-09T00:00:00Z").tone]).toEqual(["expired 1 d ago", "bad"]);
  });

  it("have at most the role of their user", () => {
    expect(rolesUpTo("editor")).toEqual(["viewer", "editor"]);
    expect(tryIt("mlr_x", "http://h")).toBe("curl -H 'Authorization: Bearer mlr_x' http://h/api/v1/columns");
  });
});

describe("users", () => {
  const alice: User = {
    name: "alice",
    full_name: "Alice",
    email: "",
    role: "admin",
    scope_filter: "",
    enabled: true,
    source: "local",
    has_password: true,
    created: "2026-01-01T00:00:00Z",
    last_login: null,
  };

  it("keep one administrator who can log in", () => {
    expect(isLastAdmin(alice, [alice, { ...alice, name: "bob", enabled: false }])).toBe(true);
    expect(isLastAdmin(alice, [alice, { ...alice, name: "bob" }])).toBe(false);
    expect(isLastAdmin({ ...alice, role: "viewer" }, [alice])).toBe(true);
  });

  it("say how they log in", () => {
    expect([loginWords(alice), loginWords({ ...alice, has_password: false }), loginWords({ ...alice, source: "oidc" })]).toEqual([
      "password",
      "no password",
      "login provider",
    ]);
  });

  it("are changed in what differs", () => {
    const form = formOf(alice);
    expect(changeOf(form, alice)).toEqual({});
    expect(changeOf({ ...form, role: "viewer", limit: " Proto = tcp ", password: "p", enabled: false }, alice)).toEqual({
      role: "viewer",
      scope_filter: "Proto = tcp",
      password: "p",
      enabled: false,
    });
  });

  it("have no limit as administrators, and no password if none is given", () => {
    expect(newUser({ ...formOf(null), name: " bob ", role: "admin", limit: "Proto = tcp" })).toMatchObject({
      name: "bob",
      scope_filter: "",
      password: null,
    });
    const limited = { ...alice, role: "viewer" as const, scope_filter: "Proto = tcp" };
    expect(changeOf({ ...formOf(limited), role: "admin" }, limited)).toEqual({ role: "admin", scope_filter: "" });
  });
});

describe("what the server says of itself", () => {
  it("of the store", () => {
    const facts = storeFacts({
      tables: {
        flows: { rows: 10, bytes_on_disk: 100, oldest_ms: 5, newest_ms: 9, keep_days: 15 },
        flows_5m0s: { rows: 3, bytes_on_disk: 20, oldest_ms: null },
      },
      free_bytes: 7,
      total_bytes: 9,
      last_error: "",
    });
    expect(facts).toMatchObject({ flows: 10, bytes: 120, oldest: 5, freeBytes: 7, totalBytes: 9, error: "" });
    expect(facts.tables.map((table) => [plain(table.name), plain(keptWords(table))])).toEqual([
      ["Single flows", "15 days"],
      ["Rollup of 5 min", "for ever"],
    ]);
    expect([tableName("flows_1h0m0s"), tableName("interface_counters"), tableName("other")].map(plain)).toEqual([
      "Rollup of 1 h",
      "Interface counters",
      "other",
    ]);
  });

  it("of its work, also if it says little", () => {
    expect(totals({ version: "1.2", health: "ok", stored_flows: 5, waiting_flows: 1, decoded: { datagrams: 3 } })).toEqual({
      version: "1.2",
      health: "ok",
      flows: 5,
      datagrams: 3,
      waiting: 1,
      error: "",
    });
    expect(totals(null)).toMatchObject({ version: "", flows: 0 });
    expect([storeFacts("nonsense").tables, otherDrops(7)]).toEqual([[], []]);
  });
});

describe("what was not stored", () => {
  it("is told by reason, with the words of the documentation", () => {
    const words = reasonWords(
      "<table><tr><th>reason</th></tr><tr><td><code>bad-length</code>, <code>bad-count</code></td><td>cannot be <b>true</b></td><td></td></tr></table>",
    );
    expect(words.get("bad-count")).toEqual({ means: "cannot be true", todo: "" });
    const status = { not_decoded: { "set: bad-length": 2, "record: new-reason": 9, "set: none": 0 } };
    expect(undecoded(status, words).map(({ count, unit, reason, means }) => [count, unit, reason, means])).toEqual([
      [9, "record", "new-reason", ""],
      [2, "set", "bad-length", "cannot be true"],
    ]);
  });

  it("is summed over sockets, and what is zero is left out", () => {
    const socket = { kernel_drops: 2, emit_refused: 0, truncated: 0, refused: 1, failed: 3 };
    const status = {
      sockets: [socket, socket],
      dropped_flows: { "store-refused": 5, "insert-failed": 0, later: 1 },
      dropped_counters: { "waiting-full": 8, "insert-failed": 2 },
    };
    expect(otherDrops(status).map(({ count, unit, reason }) => [count, unit, reason])).toEqual([
      [4, "datagrams", "kernel buffer full"],
      [2, "datagrams", "not allowed"],
      [6, "datagrams", "not handed on"],
      [5, "flows", "store refused"],
      [1, "flows", "later"],
      [8, "interface counters", "too many waited"],
      [2, "interface counters", "insert failed"],
    ]);
  });
});
