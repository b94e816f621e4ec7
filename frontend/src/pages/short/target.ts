/** Where a short link leads: a path of this console, and nothing else. */
export function linkTarget(state: string): string | null {
  // A second slash or a backslash would name another host; /s/ would lead in circles.
  return /^\/(?![/\\])/.test(state) && !/^\/s\//.test(state) ? state : null;
}
