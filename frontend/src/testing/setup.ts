/** A test that asks the network has forgotten to say what the answer is. */
import { beforeEach, vi } from "vitest";

beforeEach(() => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network in tests: stub fetch")));
});
