/**
 * The API, typed by its OpenAPI document (`schema.d.ts` is generated, never edited).
 *
 *     const top = await ask(api.POST("/api/v1/flows/top", { body: question, signal }));
 *
 * An answer that is not 2xx is thrown as `ApiError`; an aborted request as `AbortError` (see `isAbort`).
 */
import createClient from "openapi-fetch";
import type { paths } from "@/api/schema";
import { heard, isSilence, unheard } from "@/api/connection";
import { ApiError, isAbort, problemOf, UNREACHABLE } from "@/api/problem";

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

let csrfToken = "";
let onUnauthorized: () => void = () => {};

/** Sent with every request that changes something; the session says it. */
export function useCsrfToken(token: string): void {
  csrfToken = token;
}

/** Called when a request is refused for want of a login. */
export function onLoginNeeded(handler: () => void): void {
  onUnauthorized = handler;
}

/** Whether a refusal speaks of the password in the request rather than of who asks. */
function judgesPassword({ method, url }: Request): boolean {
  const path = new URL(url).pathname;
  if (method === "PATCH") return /^\/api\/v1\/users\/[^/]+$/.test(path);
  return method === "POST" && /^\/api\/v1\/(session(\/password)?|tokens|users)$/.test(path);
}

/** `fetch` of the API: adds what browsers must send, turns refusals and failures into `ApiError`. */
export async function apiFetch(request: Request): Promise<Response> {
  if (!SAFE.has(request.method) && csrfToken) request.headers.set("X-CSRF-Token", csrfToken);
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    if (isAbort(error) || request.signal.aborted) throw error;
    unheard();
    throw new ApiError(UNREACHABLE);
  }
  if (isSilence(response)) {
    unheard();
    throw new ApiError(UNREACHABLE);
  }
  heard();
  if (response.ok) return response;
  if (response.status === 401 && !judgesPassword(request)) onUnauthorized();
  throw new ApiError(await problemOf(response));
}

export const api = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? "",
  fetch: apiFetch,
});

/** The body of an answer. */
export async function ask<T>(answer: Promise<{ data?: T }>): Promise<NonNullable<T>> {
  try {
    const { data } = await answer;
    // What is not 2xx was thrown by `apiFetch`.
    return data as NonNullable<T>;
  } catch (error) {
    // A body that broke off: the server went away while it spoke.
    if (error instanceof ApiError || !(error instanceof TypeError || error instanceof SyntaxError)) throw error;
    unheard();
    throw new ApiError(UNREACHABLE);
  }
}

/** A request beside the typed client: for addresses that an answer named. */
export async function request<T>(
  method: string,
  path: string,
  { body, signal }: { body?: unknown; signal?: AbortSignal } = {},
): Promise<T> {
  const response = await apiFetch(
    new Request(new URL(path, globalThis.location?.origin), {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
      ...(signal ? { signal } : {}),
    }),
  );
  return (response.status === 204 ? undefined : await response.json()) as T;
}
