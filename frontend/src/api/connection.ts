/**
 * Whether the server answers. Every answer and every silence of the API is told here; while it is silent it is asked
 * again and again, and those who wait are told when it is back.
 */
import { readonly, ref, type Ref } from "vue";

const PAUSES_MS = [1000, 2000, 3000, 5000];
const PATIENCE_MS = 5000;
/** Costs nothing, and is answered whoever asks. */
const PROBE = "/api/v1/session";

const silent = ref<number | null>(null);
const count = ref(0);
let lastAnswer = Date.now();
let timer: ReturnType<typeof setTimeout> | undefined;
let prepare: () => Promise<unknown> = () => Promise.resolve();

/** When the server answered last, if it does not now (Unix milliseconds); null while it does. */
export const silentSince: Readonly<Ref<number | null>> = readonly(silent);

/** How many times it came back: who failed for want of an answer asks again when this changes. */
export const returns: Readonly<Ref<number>> = readonly(count);

/** Done first when it is back: a server that was started anew may want other tokens. */
export function beforeReturn(task: () => Promise<unknown>): void {
  prepare = task;
}

/** Whether a response is of a proxy that found no server behind it. */
export function isSilence(response: Response): boolean {
  const type = response.headers.get("content-type") ?? "";
  return [502, 503, 504].includes(response.status) && !/json/.test(type);
}

/** It has answered. */
export function heard(): void {
  lastAnswer = Date.now();
  if (silent.value === null) return;
  silent.value = null;
  clearTimeout(timer);
  void prepare().finally(() => count.value++);
}

/** It has not answered. */
export function unheard(): void {
  if (silent.value !== null) return;
  silent.value = lastAnswer;
  plan(0);
}

function plan(attempt: number): void {
  clearTimeout(timer);
  timer = setTimeout(
    async () => {
      if (!(await answers()) && silent.value !== null) plan(attempt + 1);
    },
    PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)],
  );
}

/** Ask now whether it answers. */
export async function answers(): Promise<boolean> {
  try {
    const response = await fetch(new Request(new URL(PROBE, location.origin), { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) }));
    if (isSilence(response)) throw new TypeError("a proxy without a server");
    heard();
    return true;
  } catch {
    unheard();
    return false;
  }
}
