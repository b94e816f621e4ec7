import { describe, expect, it } from "vitest";
import { problemWords, targetOf } from "@/pages/login/target";

describe("the page after a login", () => {
  it("is the one that wanted it", () => expect(targetOf("/explore?v=1&by=SrcAS")).toBe("/explore?v=1&by=SrcAS"));

  it.each(["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/login", undefined, ["/x"]])(
    "is the overview in place of %j",
    (next) => expect(targetOf(next)).toBe("/"),
  );
});

describe("why a login elsewhere led back", () => {
  it.each(["oidc-failed", "oidc-denied", "oidc-busy"])("has words for %s", (word) => expect(problemWords(word)).toMatch(/\w\.$/));

  it.each(["constructor", "", undefined, ["oidc-failed"], "<b>"])("has none for %j", (word) => expect(problemWords(word)).toBe(""));
});
