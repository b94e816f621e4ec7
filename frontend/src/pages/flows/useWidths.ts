/** Widths of columns that fit what they hold, and only grow: a table whose rows come and go must not jump. */
import { computed, shallowRef, watch, type ComputedRef } from "vue";

const LEAST = 4;
const MOST = 32;
/** Rows that are measured: those of one table are much alike. */
const SAMPLED = 240;
/** Headers are smaller, and break between words. */
const HEADER = 0.95;

const NARROW = new Set(":.,;-/()[]|'il jrtfI");

/** Width of a text in digits, about: fonts differ. */
function lengthOf(text: string): number {
  let sum = 0;
  for (const letter of text) sum += NARROW.has(letter) ? 0.58 : /[A-Zmw→–]/.test(letter) ? 1.15 : 1;
  return sum;
}

/** Width of a column in digits, by its title and the texts in it. */
export function widthOf(title: string, texts: readonly string[]): number {
  const longest = texts.reduce((most, text) => Math.max(most, lengthOf(text)), 0);
  const words = title.split(" ").reduce((most, word) => Math.max(most, lengthOf(word)), 0);
  return Math.min(MOST, Math.max(LEAST, Math.ceil(longest), Math.ceil(words * HEADER)));
}

/** Some of many, evenly. */
export function sampleOf<T>(items: readonly T[], most = SAMPLED): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)] as T);
}

export function useWidths<R>(
  columns: () => readonly { name: string; title: string }[],
  rows: () => readonly R[],
  text: (name: string, row: R) => string,
): ComputedRef<ReadonlyMap<string, number>> {
  const widths = shallowRef<ReadonlyMap<string, number>>(new Map());
  watch(
    [() => columns(), () => rows()],
    ([shown, all], before) => {
      const same = before[0] === shown;
      const sample = sampleOf(all);
      const next = new Map(
        shown.map(({ name, title }) => {
          const fits = widthOf(title, sample.map((row) => text(name, row)));
          return [name, same ? Math.max(fits, widths.value.get(name) ?? 0) : fits];
        }),
      );
      if (!same || shown.some(({ name }) => next.get(name) !== widths.value.get(name))) widths.value = next;
    },
    { immediate: true },
  );
  return computed(() => widths.value);
}
