import { beforeEach, describe, expect, it, vi } from "vitest";
import { api, ask, onLoginNeeded, request, useCsrfToken } from "@/api/client";
import { ApiError, isAbort, messageOf } from "@/api/problem";

describe("the client of the API", () => {
  let sent: Request[];
  let reply: () => Response | Promise<Response>;

  beforeEach(() => {
    sent = [];
    reply = () => Response.json([]);
    useCsrfToken("");
    onLoginNeeded(() => {});
    vi.stubGlobal("fetch", (asked: Request) => {
      sent.push(asked);
      return Promise.resolve(reply());
    });
  });

  const failure = () =>
    ask(api.GET("/api/v1/columns")).then(
      () => null,
      (error: unknown) => error,
    );

  it("hands out the body of an answer", async () => {
    expect(await ask(api.GET("/api/v1/columns"))).toEqual([]);
    expect(new URL(sent[0]!.url).pathname).toBe("/api/v1/columns");
  });

  it("sends the token of the session with what changes something, and only then", async () => {
    useCsrfToken("secret");
    await ask(api.GET("/api/v1/columns"));
    await ask(api.POST("/api/v1/filter/check", { body: { timezone: "UTC", text: "" } }));
    await request("DELETE", "/api/v1/filters/1");

    expect(sent.map((one) => one.headers.get("X-CSRF-Token"))).toEqual([null, "secret", "secret"]);
  });

  it("speaks of errors in the server's words", async () => {
    reply = () => Response.json({ title: "Bad Request", detail: "unknown column 'SrcAsn'", errors: [1] }, { status: 400 });
    const error = await failure();

    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 400, message: "unknown column 'SrcAsn'", problem: { errors: [1] } });
  });

  it("has a sentence for answers without a problem document, and for none at all", async () => {
    reply = () => new Response("<html>", { status: 502, statusText: "Bad Gateway" });
    expect(messageOf(await failure()), "a proxy without a server").toContain("The server does not answer");
    reply = () => new Response("<html>", { status: 500, statusText: "Internal Server Error" });
    expect(messageOf(await failure())).toBe("Internal Server Error");

    reply = () => Promise.reject(new TypeError("Failed to fetch"));
    expect(messageOf(await failure())).toContain("The server does not answer");
  });

  it("tells when a login is needed", async () => {
    const needed = vi.fn();
    onLoginNeeded(needed);
    reply = () => new Response(null, { status: 401 });
    await failure();
    expect(needed).toHaveBeenCalledOnce();
  });

  it("does not take a wrong password for a login that has ended", async () => {
    const needed = vi.fn();
    onLoginNeeded(needed);
    reply = () => new Response(null, { status: 401 });
    await ask(api.POST("/api/v1/tokens", { body: { name: "t", role: "viewer", manages: false, password: "x" } })).catch(() => undefined);
    expect(needed).not.toHaveBeenCalled();
  });

  it("leaves an aborted request an aborted request", async () => {
    reply = () => Promise.reject(new DOMException("aborted", "AbortError"));
    expect(isAbort(await failure())).toBe(true);
  });
});
