import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope, type EffectScope } from "vue";
import { serverStatusOf } from "@/composables/useServerStatus";
import { usePolling } from "@/composables/usePolling";
import { keyName, useShortcuts } from "@/composables/useShortcuts";
import { useTheme } from "@/composables/useTheme";
import { SERIES_DARK, SERIES_LIGHT } from "@/theme/palette";

let scope: EffectScope;
beforeEach(() => {
  scope = effectScope();
});
afterEach(() => scope.stop());

describe("keys", () => {
  const press = (key: string, target: EventTarget = document.body, init: KeyboardEventInit = {}) =>
    target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...init }));

  it("work alone, one after the other, with Ctrl, and not while a text is typed", () => {
    const run = { a: vi.fn(), ga: vi.fn(), k: vi.fn() };
    scope.run(() =>
      useShortcuts([
        { keys: "x", description: "", run: run.a },
        { keys: "g a", description: "", run: run.ga },
        { keys: "ctrl+k", description: "", run: run.k, whileTyping: true },
      ]),
    );
    const input = document.body.appendChild(document.createElement("input"));

    press("x");
    press("x", input);
    press("g");
    press("a");
    press("a");
    press("k", input, { ctrlKey: true });
    scope.stop();
    press("x");

    expect([run.a, run.ga, run.k].map((one) => one.mock.calls.length)).toEqual([1, 1, 1]);
  });

  it("leave the space key to a button that has the focus", () => {
    const run = vi.fn();
    scope.run(() => useShortcuts([{ keys: "space", description: "", run }]));
    press(" ", document.body.appendChild(document.createElement("button")));
    expect(run).not.toHaveBeenCalled();
    press(" ");
    expect(run).toHaveBeenCalledOnce();
    scope.stop();
  });

  it("are named as they are written", () => {
    expect(keyName(new KeyboardEvent("keydown", { key: "K", metaKey: true }))).toBe("ctrl+k");
    expect(keyName(new KeyboardEvent("keydown", { key: "ArrowUp", altKey: true }))).toBe("alt+ArrowUp");
    expect(keyName(new KeyboardEvent("keydown", { key: " " }))).toBe("space");
  });
});

describe("polling", () => {
  it("waits for the turn before, pauses with the tab and ends with the component", async () => {
    vi.useFakeTimers();
    const task = vi.fn();
    scope.run(() => usePolling(task, 1000));
    await vi.advanceTimersByTimeAsync(2500);
    expect(task).toHaveBeenCalledTimes(2);

    const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    await vi.advanceTimersByTimeAsync(5000);
    expect(task).toHaveBeenCalledTimes(2);
    hidden.mockReturnValue(false);
    document.dispatchEvent(new Event("visibilitychange"));
    await vi.advanceTimersByTimeAsync(0);
    expect(task).toHaveBeenCalledTimes(3);

    scope.stop();
    await vi.advanceTimersByTimeAsync(5000);
    expect(task).toHaveBeenCalledTimes(3);
    vi.useRealTimers();
  });
});

describe("the theme", () => {
  it("is the system's until chosen, and remembered", () => {
    const { theme, next, set } = useTheme();
    expect(theme.value).toBe("system");
    next();
    expect(document.documentElement.dataset["theme"]).toBe("light");
    next();
    expect([theme.value, localStorage.getItem("millrace.theme")]).toEqual(["dark", "dark"]);
    set("system");
    expect(document.documentElement.dataset["theme"]).toBeUndefined();
  });
});

describe("the server's state", () => {
  it.each([
    ["ok", "ok"],
    ["degraded", "degraded"],
    ["failed", "failed"],
    [undefined, "degraded"],
  ])("%s is shown as %s", (health, state) => expect(serverStatusOf({ health }).state).toBe(state));
});

describe("the palettes", () => {
  const luminance = (hex: string): number => {
    const [r, g, b] = [1, 3, 5].map((at) => {
      const value = parseInt(hex.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const contrast = (a: string, b: string): number => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high! + 0.05) / (low! + 0.05);
  };

  it("have at least twelve colours that stand out from the surface", () => {
    for (const [colours, surface, least] of [
      [SERIES_LIGHT, "#ffffff", 1.6],
      [SERIES_DARK, "#141b24", 3],
    ] as const) {
      expect(new Set(colours).size).toBeGreaterThanOrEqual(12);
      for (const colour of colours) expect(contrast(colour, surface)).toBeGreaterThan(least);
    }
  });
});
