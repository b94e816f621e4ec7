/**
 * Parts of the console that are loaded when they are wanted, and what happens when they do not come: a server that does not
 * answer is waited for; one that answers but has them no more was updated, and the page is loaded anew, once.
 */
import { shallowRef, watch } from "vue";
import type { RouteLocationNormalized } from "vue-router";
import { answers, silentSince } from "@/api/connection";

const RELOADED = "millrace.reloaded";
const RELOAD_PAUSE_MS = 30_000;
const STOPPING_MS = 1500;

/** A page that was chosen and could not be loaded yet. */
export const awaited = shallowRef<RouteLocationNormalized | null>(null);

/** A part did not come. */
export class ChunkError extends Error {}

/** A loader whose failure is known as one. */
export function lazy<T>(load: () => Promise<T>): () => Promise<T> {
  return async () => {
    try {
      return await load();
    } catch (cause) {
      throw new ChunkError("This part of the console could not be loaded.", { cause });
    }
  };
}

/** Whether the server answers, and a moment later too: one that is stopping answers a last time. */
export async function answersStill(): Promise<boolean> {
  if (!(await answers())) return false;
  await new Promise((resolve) => setTimeout(resolve, STOPPING_MS));
  return answers();
}

/** When the server answers (again). */
export async function untilAnswers(): Promise<void> {
  if (silentSince.value === null && (await answers())) return;
  await new Promise<void>((resolve) => {
    const stop = watch(
      silentSince,
      (since) => {
        if (since !== null) return;
        queueMicrotask(() => stop());
        resolve();
      },
      { immediate: true },
    );
  });
}

/** Load a page anew, because its parts are of another version; false if that was done a moment ago and did not help. */
export function loadAnew(path: string): boolean {
  const last = Number(sessionStorage.getItem(RELOADED) ?? 0);
  if (Date.now() - last < RELOAD_PAUSE_MS) return false;
  sessionStorage.setItem(RELOADED, String(Date.now()));
  if (path === location.pathname + location.search + location.hash) location.reload();
  else location.assign(path);
  return true;
}

/** Load a part of the page that is shown: wait for the server if it does not answer, and load the page anew if it is gone. */
export async function loadPart<T>(load: () => Promise<T>): Promise<T> {
  const once = lazy(load);
  try {
    return await once();
  } catch {
    await untilAnswers();
  }
  for (;;) {
    try {
      return await once();
    } catch (error) {
      if (await answersStill()) {
        loadAnew(location.pathname + location.search + location.hash);
        throw error;
      }
      await untilAnswers();
    }
  }
}
