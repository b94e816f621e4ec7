/** API tokens: how long they live, how they are used. */
import type { components } from "@/api/schema";
import { formatAgo } from "@/format";

export type ApiToken = components["schemas"]["TokenView"];
export type NewToken = components["schemas"]["NewTokenView"];

/** Lives that are offered, in days; null: what the configuration says. */
export const LIVES: readonly { days: number | null; label: string }[] = [
  { days: null, label: "what the configuration says" },
  { days: 7, label: "7 days" },
  { days: 30, label: "30 days" },
  { days: 90, label: "90 days" },
  { days: 365, label: "a year" },
];

const SOON_MS = 7 * 86_400_000;

/** When a token ends, in words. */
export function expiry(token: Pick<ApiToken, "expires">, now: number): { words: string; tone: "good" | "warn" | "bad" } {
  if (!token.expires) return { words: "does not expire", tone: "good" };
  const left = Date.parse(token.expires) - now;
  if (left <= 0) return { words: `expired ${formatAgo(token.expires, now)}`, tone: "bad" };
  return { words: `expires ${formatAgo(token.expires, now)}`, tone: left < SOON_MS ? "warn" : "good" };
}

/** A first request with a token, to try it. */
export function tryIt(token: string, origin: string): string {
  return `curl -H 'Authorization: Bearer ${token}' ${origin}/api/v1/columns`;
}
