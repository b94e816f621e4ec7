import { describe, expect, it } from "vitest";
import { blocksOf, safeHref, spansOf } from "@/pages/dashboards/markdown";
import NoteText from "@/pages/dashboards/NoteText.vue";
import { accessibilityFaults, mountPart } from "@/testing/mount";

describe("a note", () => {
  it("has headings, paragraphs and lists", () => {
    const blocks = blocksOf("# Title\none\ntwo\n\n- a\n- b\n1. c\n\nlast");
    expect(blocks.map(({ kind }) => kind)).toEqual(["heading", "paragraph", "list", "list", "paragraph"]);
    expect(blocks[3]).toMatchObject({ ordered: true });
  });

  it("has words that stand out", () => {
    expect(spansOf("a **b** *c* `d*` e").map(({ kind, text }) => [kind, text])).toEqual([
      ["text", "a "],
      ["bold", "b"],
      ["text", " "],
      ["emphasis", "c"],
      ["text", " "],
      ["code", "d*"],
      ["text", " e"],
    ]);
  });

  it("leads to the web and to pages of the console, nowhere else", () => {
    expect(safeHref("https://example.net/x")).toEqual({ href: "https://example.net/x", inside: false });
    expect(safeHref("/docs/how-to")).toEqual({ href: "/docs/how-to", inside: true });
    for (const bad of ["javascript:alert(1)", "JaVaScript:x", "data:text/html,x", "//evil.example", "/\\evil.example", "http:///x", "ftp://x", "x"]) {
      expect(safeHref(bad), bad).toBeNull();
    }
    expect(spansOf("[x](javascript:alert(1))")).toEqual([{ kind: "text", text: "[x](javascript:alert(1))" }]);
  });

  it("shows markup of the web as text", async () => {
    const { wrapper } = await mountPart(NoteText, { props: { text: "# A\n<img src=x onerror=alert(1)> [in](/explore) [out](https://example.net)" } });
    expect(wrapper.find("img").exists()).toBe(false);
    expect(wrapper.text()).toContain("<img");
    expect(wrapper.findAll("a").map((link) => link.attributes("href"))).toEqual(["/explore", "https://example.net"]);
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("ends quickly whatever it holds", () => {
    const started = performance.now();
    blocksOf(`${"*".repeat(5000)}${"[".repeat(2000)}${"`".repeat(3000)}`);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
