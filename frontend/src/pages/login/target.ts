/** Where to go after a login: a page of this console, never another site. */
export function targetOf(next: unknown): string {
  const text = typeof next === "string" ? next : "/";
  // "//host" and "/\host" are other sites to a browser.
  return /^\/(?![/\\])/.test(text) && !text.startsWith("/login") ? text : "/";
}
