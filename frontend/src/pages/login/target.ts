/** Where to go after a login: a page of this console, never another site. */
export function targetOf(next: unknown): string {
  const text = typeof next === "string" ? next : "/";
  // "//host" and "/\host" are other sites to a browser.
  return /^\/(?![/\\])/.test(text) && !text.startsWith("/login") ? text : "/";
}

/** Why a login elsewhere led back here, by the word in the address; the server's log tells more. */
const PROBLEMS: ReadonlyMap<unknown, string> = new Map([
  ["oidc-failed", "The login did not succeed. Try again; the log of the server says why."],
  ["oidc-denied", "You are known there, but may not log in here. Ask who administers Millrace."],
  ["oidc-busy", "Too many are logging in just now. Try again in a moment."],
]);

/** That in a sentence; empty for any other word. */
export function problemWords(word: unknown): string {
  return PROBLEMS.get(word) ?? "";
}
