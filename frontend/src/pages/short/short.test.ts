import { flushPromises } from "@vue/test-utils";
import { describe, expect, it } from "vitest";
import ShortPage from "@/pages/short/ShortPage.vue";
import { linkTarget } from "@/pages/short/target";
import { accessibilityFaults, answer, mountPart } from "@/testing/mount";

describe("a short link", () => {
  it("leads to a page of the console", async () => {
    answer({ "GET /api/v1/links/abc": { id: "abc", state: "/explore?v=1&by=DstAS" } });
    const { router } = await mountPart(ShortPage, { path: "/s/abc", props: { id: "abc" } });
    await flushPromises();
    expect(router.currentRoute.value.fullPath).toBe("/explore?v=1&by=DstAS");
  });

  it("leads nowhere else", () => {
    for (const bad of ["https://evil.example", "//evil.example", "/\\evil.example", "explore", "javascript:alert(1)", "/s/abc", ""]) {
      expect(linkTarget(bad), bad).toBeNull();
    }
  });

  it("that nobody made says so", async () => {
    answer({});
    const { wrapper } = await mountPart(ShortPage, { path: "/s/abc", props: { id: "abc" } });
    await flushPromises();
    expect(wrapper.text()).toContain("leads nowhere");
    expect(await accessibilityFaults()).toEqual([]);
  });
});
