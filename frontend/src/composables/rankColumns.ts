import type { Column } from "@/composables/useColumns";

/** Columns whose name, title, group or description holds every word, the best first: names that begin with it lead. */
export function rankColumns(columns: readonly Column[], text: string): Column[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [...columns];
  const joined = words.join(" ");
  const ranked = columns.flatMap((column) => {
    const name = column.name.toLowerCase();
    const title = column.title.toLowerCase();
    const all = `${name} ${title} ${column.group.toLowerCase()} ${column.description.toLowerCase()}`;
    if (!words.every((word) => all.includes(word))) return [];
    const rank =
      name === joined || title === joined
        ? 0
        : name.startsWith(joined) || title.startsWith(joined)
          ? 1
          : words.every((word) => name.includes(word) || title.includes(word))
            ? 2
            : 3;
    return [{ column, rank }];
  });
  return ranked.sort((a, b) => a.rank - b.rank).map(({ column }) => column);
}
