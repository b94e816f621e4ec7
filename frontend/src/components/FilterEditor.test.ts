import { flushPromises } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { unitsOf } from "@/api/filters";
import FilterEditor from "@/components/FilterEditor.vue";
import { accessibilityFaults, answer, mountPart } from "@/testing/mount";
import { soon } from "@/testing/soon";

function check(body: unknown) {
  const { text } = body as { text: string };
  const wrong = text.includes("SrcAsn");
  return {
    ok: !wrong,
    canonical: text,
    error: wrong
      ? { message: "line 1, column 1: unknown column 'SrcAsn'", start: 0, end: 6, expected: [], suggestion: "SrcAS" }
      : null,
    tokens: text ? [{ start: 0, end: 5, kind: "column" }] : [],
    columns: [],
    raw: false,
  };
}

describe.each(["editor", "plain field"])("the filter as %s", (kind) => {
  let asked: ReturnType<typeof answer>;
  beforeEach(() => {
    vi.resetModules();
    if (kind === "plain field") {
      vi.doMock("@/components/filter/editor", () => {
        throw new Error("the chunk did not load");
      });
    } else {
      vi.doUnmock("@/components/filter/editor");
    }
    asked = answer({ "POST /api/v1/filter/check": check, "GET /api/v1/filters": [] });
  });

  async function editor(text = "") {
    const { wrapper } = await mountPart(FilterEditor, { props: { modelValue: text } });
    // The chunk comes by an import.
    await soon(() => expect(wrapper.find(kind === "editor" ? ".cm-content" : "textarea").exists()).toBe(true));
    await soon(() => expect(wrapper.vm).toBeDefined());
    await flushPromises();
    return wrapper as typeof wrapper & { vm: { setDraft: (text: string) => void; apply: () => Promise<void> } };
  }

  it("has a name and no faults", async () => {
    const wrapper = await editor("SrcAS = AS64500");
    await flushPromises();
    expect(wrapper.get(kind === "editor" ? ".cm-content" : "textarea").attributes("aria-label")).toBe("Filter");
    expect(await accessibilityFaults()).toEqual([]);
  });

  it("holds when it is right and was applied", async () => {
    const wrapper = await editor();
    wrapper.vm.setDraft("SrcAS = AS64500");
    expect(wrapper.emitted("update:modelValue")).toBeUndefined();
    await wrapper.vm.apply();

    expect(wrapper.emitted("update:modelValue")).toEqual([["SrcAS = AS64500"]]);
    expect(asked.at(-1)?.body).toEqual({ text: "SrcAS = AS64500", timezone: "UTC" });
  });

  it("says what is wrong and does not hold", async () => {
    const wrapper = await editor();
    wrapper.vm.setDraft("SrcAsn = 1");
    await wrapper.vm.apply();
    await flushPromises();

    expect(wrapper.emitted("update:modelValue")).toBeUndefined();
    expect(wrapper.get("[role=status]").text()).toContain("unknown column 'SrcAsn'");
  });
});

it("goes on where somebody types when the editor comes", async () => {
  vi.resetModules();
  vi.doUnmock("@/components/filter/editor");
  answer({ "POST /api/v1/filter/check": check, "GET /api/v1/filters": [] });
  const { wrapper } = await mountPart(FilterEditor, { props: { modelValue: "" } });
  const field = wrapper.get("textarea");
  (field.element as HTMLTextAreaElement).focus();
  await field.setValue("Proto = ");
  await soon(() => expect(wrapper.find("textarea").exists()).toBe(false));
  await flushPromises();

  const content = wrapper.get(".cm-content").element;
  expect(document.activeElement).toBe(content);
  expect(content.textContent).toBe("Proto = ");
});

describe("the plain field", () => {
  beforeEach(() => {
    vi.resetModules();
    vi.doMock("@/components/filter/editor", () => {
      throw new Error("the chunk did not load");
    });
  });
  async function field(answers: Record<string, unknown> = {}) {
    answer({ "POST /api/v1/filter/check": check, "GET /api/v1/filters": [], "GET /api/v1/session": {}, ...answers });
    const { wrapper } = await mountPart(FilterEditor, { props: { modelValue: "" } });
    await soon(() => expect(wrapper.find("textarea").exists()).toBe(true));
    await wrapper.get("textarea").setValue("SrcCountry = DE");
    return wrapper;
  }

  it.each([
    [{ key: "Enter", isComposing: true }, false],
    [{ key: "Enter", keyCode: 229 }, false],
    [{ key: "Enter", shiftKey: true }, false],
    [{ key: "Enter" }, true],
    [{ key: "Enter", ctrlKey: true }, true],
    [{ key: "Enter", metaKey: true }, true],
  ])("is told %j by its keys: runs %s", async (key, runs) => {
    const wrapper = await field();
    const event = new KeyboardEvent("keydown", { ...key, cancelable: true, bubbles: true });
    wrapper.get("textarea").element.dispatchEvent(event);
    await flushPromises();
    expect(event.defaultPrevented).toBe(runs);
    expect(wrapper.emitted("update:modelValue")).toEqual(runs ? [["SrcCountry = DE"]] : undefined);
  });

  it("runs what it was told to when the server is back", async () => {
    let silent = true;
    const wrapper = await field({
      "POST /api/v1/filter/check": (body: unknown) => {
        if (silent) throw new TypeError("gone");
        return check(body);
      },
      "GET /api/v1/session": () => {
        if (silent) throw new TypeError("gone");
        return {};
      },
    });
    await wrapper.get("textarea").trigger("keydown", { key: "Enter" });
    await flushPromises();
    expect(wrapper.get("[role=status]").text()).toContain("The server does not answer");

    silent = false;
    await soon(() => expect(wrapper.emitted("update:modelValue")).toEqual([["SrcCountry = DE"]]));
    expect(wrapper.get("[role=status]").text()).toBe("");
  });
});

describe("places in a text", () => {
  it("are counted as strings count them", () => {
    expect([0, 2, 3].map(unitsOf("ab cd"))).toEqual([0, 2, 3]);
    expect([0, 1, 2, 3, 9].map(unitsOf("a😀b"))).toEqual([0, 1, 3, 4, 4]);
  });
});
