/** Put a component on a page as the console does, and look at it as its users do. */
import { flushPromises, mount, type VueWrapper } from "@vue/test-utils";
import axe from "axe-core";
import { afterEach, vi } from "vitest";
import type { Component } from "vue";
import { createMemoryHistory, createRouter, type Router } from "vue-router";
import { routes } from "@/router/pages";

const mounted: VueWrapper[] = [];
afterEach(() => {
  for (const wrapper of mounted.splice(0)) wrapper.unmount();
  document.body.innerHTML = "";
});

export interface Mounted {
  wrapper: VueWrapper;
  router: Router;
}

/** Mount a component in the document, with the console's routes (their pages left out). */
export async function mountPart(
  component: Component,
  { props, slots, path = "/" }: { props?: Record<string, unknown>; slots?: Record<string, unknown>; path?: string } = {},
): Promise<Mounted> {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: routes.map((route) => ({ ...route, component: { render: () => null } }) as (typeof routes)[number]),
  });
  await router.push(path);
  const wrapper = mount(component as never, {
    props: props as never,
    slots: slots as never,
    attachTo: document.body,
    global: { plugins: [router] },
  });
  mounted.push(wrapper);
  await flushPromises();
  return { wrapper, router };
}

/** What axe finds wrong with the document; colours are looked at in a real browser. */
export async function accessibilityFaults(): Promise<string[]> {
  const { violations } = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false }, region: { enabled: false }, "page-has-heading-one": { enabled: false } },
  });
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
}

export type Answers = Record<string, unknown>;

/** Answer requests by `METHOD /path`; what is not listed is 404. Returns what was asked. */
export function answer(answers: Answers): { method: string; path: string; body: unknown }[] {
  const asked: { method: string; path: string; body: unknown }[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const { pathname } = new URL(request.url);
    const text = await request.text();
    const body: unknown = text ? JSON.parse(text) : undefined;
    asked.push({ method: request.method, path: pathname, body });
    const found = answers[`${request.method} ${pathname}`];
    const value: unknown = typeof found === "function" ? await (found as (body: unknown) => unknown)(body) : found;
    if (value instanceof Response) return value;
    return value === undefined
      ? new Response(JSON.stringify({ title: "Not Found", detail: "there is no such thing" }), { status: 404 })
      : new Response(JSON.stringify(value), { status: 200, headers: { "Content-Type": "application/json" } });
  });
  return asked;
}

export const COLUMNS = [
  ["SrcAS", "Source AS", "Routing", "as"],
  ["DstAS", "Destination AS", "Routing", "as"],
  ["SrcAddr", "Source address", "Flow", "address"],
  ["DstPort", "Destination port", "Flow", "port"],
  ["Proto", "Protocol", "Flow", "protocol"],
].map(([name, title, group, display]) => ({
  name,
  title,
  group,
  display,
  description: `${title} of the flow.`,
  kind: "u32",
  dimension: true,
  rolled_up: true,
  operators: ["=", "!="],
  values: [],
}));
