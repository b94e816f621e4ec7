import { flushPromises, mount } from "@vue/test-utils";
import { describe, expect, it } from "vitest";
import { createMemoryHistory, createRouter } from "vue-router";
import {
  choiceField,
  flagField,
  integerField,
  listField,
  textField,
  urlCodec,
  useUrlState,
  type UrlState,
} from "@/composables/useUrlState";

const codec = urlCodec({
  q: textField(""),
  by: listField(["SrcAS"]),
  limit: integerField(10, 1, 50),
  both: flagField(),
  graph: choiceField("stacked", ["stacked", "lines"] as const),
});
const usual = codec.parse({});

/** What a browser makes of a query: everything is text. */
function throughAddress(query: ReturnType<typeof codec.serialise>) {
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: "/", component: {} }] });
  return router.resolve(router.resolve({ path: "/", query }).fullPath).query;
}

describe("the state in an address", () => {
  it("says nothing where everything is as usual", () => {
    expect(codec.serialise(usual)).toEqual({});
  });

  it.each([
    { q: "InIfBoundary = external AND SrcAS IN (AS15169, 1-5) -- a & b = c?#+%" },
    { q: "" },
    { by: [] },
    { by: ["SrcAS", "DstAS"] },
    { by: ["a,b", "c\\", "", ",", "\\,"] },
    { limit: 50, both: true },
    { graph: "lines" as const, q: "ü 🇫🇷 \n\t\"'" },
  ])("comes back as it went: %o", (change) => {
    const state = { ...usual, ...change };
    expect(codec.parse(throughAddress(codec.serialise(state)))).toEqual(state);
  });

  it("passes over what it does not understand", () => {
    const query = { v: "99", limit: "1e9", both: "yes", graph: "pie", other: "x", q: ["a", "b"], by: null };
    expect(codec.parse(query)).toEqual({ ...usual, q: "a" });
  });

  it("reads the addresses of earlier versions", () => {
    const second = urlCodec({ filter: textField("") }, 2, ({ q, ...rest }) => ({ ...rest, filter: q ?? null }));
    expect(second.parse({ v: "1", q: "x" })).toEqual({ filter: "x" });
    expect(second.serialise({ filter: "x" })).toEqual({ v: "2", filter: "x" });
  });
});

describe("a page with state", () => {
  async function page() {
    let url!: UrlState<ReturnType<typeof codec.parse>>;
    const Page = {
      setup() {
        url = useUrlState(codec);
        return () => null;
      },
    };
    const router = createRouter({
      history: createMemoryHistory(),
      routes: [
        { path: "/", name: "page", component: Page },
        { path: "/away", name: "away", component: { render: () => null } },
      ],
    });
    await router.push("/?limit=20");
    mount({ template: "<RouterView />" }, { global: { plugins: [router] } });
    await flushPromises();
    return { url, router };
  }

  it("follows the address and writes it", async () => {
    const { url, router } = await page();
    expect(url.state.value.limit).toBe(20);

    url.update({ q: "x" });
    url.update({ both: true });
    await flushPromises();
    expect(router.currentRoute.value.query).toEqual({ v: "1", q: "x", limit: "20", both: "1" });

    router.back();
    await flushPromises();
    expect(url.state.value).toMatchObject({ q: "", both: false, limit: 20 });
  });

  it("does not read the address of another page", async () => {
    const { url, router } = await page();
    await router.push("/away?limit=5");
    expect(url.state.value.limit).toBe(20);
  });
});
