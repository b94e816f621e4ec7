/** Colours that belong to a label: the same network has the same colour in each graph and after each refresh. */

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/**
 * A colour for each label. Its hash says which; if two labels of one graph want the same, the later in the alphabet
 * takes the next that is free, so that neither the order of the rows nor their values matter.
 */
export function colorsOf(labels: readonly string[], palette: readonly string[]): Map<string, string> {
  const colors = new Map<string, string>();
  let free = new Set(palette.keys());
  for (const label of [...new Set(labels)].sort()) {
    if (free.size === 0) free = new Set(palette.keys());
    let slot = hash(label) % palette.length;
    while (!free.has(slot)) slot = (slot + 1) % palette.length;
    free.delete(slot);
    colors.set(label, palette[slot] ?? "");
  }
  return colors;
}
