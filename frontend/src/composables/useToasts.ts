/** Short messages at the edge of the screen. */
import { readonly, shallowRef } from "vue";
import { isAbort, messageOf } from "@/api/problem";

export type ToastKind = "info" | "good" | "bad";

export interface Toast {
  id: number;
  kind: ToastKind;
  text: string;
}

const MOST = 4;
const LIFE_MS: Record<ToastKind, number> = { info: 5000, good: 4000, bad: 12_000 };

const toasts = shallowRef<readonly Toast[]>([]);
let last = 0;

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

function show(text: string, kind: ToastKind = "info"): number {
  const id = ++last;
  toasts.value = [...toasts.value, { id, kind, text }].slice(-MOST);
  setTimeout(() => dismiss(id), LIFE_MS[kind]);
  return id;
}

/** Messages of the console; one list for all. */
export function useToasts() {
  return {
    toasts: readonly(toasts),
    show,
    dismiss,
    /** Tell of an error, unless it only says that nobody waits any more. */
    fail: (error: unknown): void => {
      if (!isAbort(error)) show(messageOf(error), "bad");
    },
  };
}
