/** What is kept on the server besides flows: views and short links. Answers are checked, not believed. */
import { apiFetch } from "@/api/client";
import { explorationQuery, storedExploration, type Exploration } from "@/graphs/exploration";

export interface SavedView {
  id: string;
  name: string;
  owner: string;
  own: boolean;
  shared: boolean;
  exploration: Exploration;
}

type Method = "GET" | "POST" | "PATCH" | "DELETE";
type Fields = Record<string, unknown>;

async function call(method: Method, path: string, body?: unknown): Promise<unknown> {
  const request = new Request(new URL(`/api/v1/${path}`, location.origin), {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
  });
  const response = await apiFetch(request);
  return response.status === 204 ? null : response.json();
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function viewOf(value: unknown): SavedView {
  const fields = fieldsOf(value);
  return {
    id: text(fields["id"]),
    name: text(fields["name"]),
    owner: text(fields["owner"]),
    own: fields["own"] === true,
    shared: fields["shared"] === true,
    exploration: storedExploration(fields["state"]),
  };
}

function listOf(answer: unknown): unknown[] {
  return Array.isArray(answer) ? answer : [];
}

export async function listViews(): Promise<SavedView[]> {
  return listOf(await call("GET", "views")).map(viewOf);
}

/** Save under a name; what the user has under that name is replaced. */
export async function saveView(name: string, e: Exploration, shared: boolean, known: readonly SavedView[]): Promise<void> {
  const before = known.find((view) => view.own && view.name === name);
  if (before) await call("PATCH", `views/${encodeURIComponent(before.id)}`, { state: e, shared });
  else await call("POST", "views", { name, state: e, shared });
}

export async function removeView(view: SavedView): Promise<void> {
  await call("DELETE", `views/${encodeURIComponent(view.id)}`);
}

/** Address of a short link to a path of the console. */
export async function shortLink(path: string): Promise<string> {
  const { id } = fieldsOf(await call("POST", "links", { state: path }));
  return new URL(`/s/${encodeURIComponent(text(id))}`, location.origin).href;
}

/** Path of an exploration, for links that leave the page. */
export function explorationPath(e: Exploration): string {
  const query = new URLSearchParams(Object.entries(explorationQuery(e)).map(([key, value]) => [key, String(value)]));
  return `/explore?${query}`;
}
