/** Wait for what comes of itself, such as a part of the page that is loaded when it is needed. */
import { vi } from "vitest";

/** A busy machine takes seconds to load the editor or the graphs; where all is well nobody waits. */
const LONGEST_MS = 10_000;

export function soon(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: LONGEST_MS });
}
