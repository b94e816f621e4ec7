/**
 * Places on the grid of a dashboard: twelve columns, as many rows as needed. What is moved pushes others away, and
 * everything rises as far as it can, so that there is never a hole above a widget it could fill.
 */

export const COLUMNS = 12;
const MAX_HEIGHT = 40;
const MAX_ROW = 1000;

export interface Place {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Placed {
  id: string;
  place: Place;
}

export interface Least {
  w: number;
  h: number;
}

const SMALLEST: Least = { w: 1, h: 1 };

export function overlap(a: Place, b: Place): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

function samePlace(a: Place, b: Place): boolean {
  return a.x === b.x && a.y === b.y && a.w === b.w && a.h === b.h;
}

/** A place that lies within the grid. */
export function within(place: Place, least: Least = SMALLEST): Place {
  const w = clamp(place.w, least.w, COLUMNS);
  return {
    w,
    h: clamp(place.h, least.h, MAX_HEIGHT),
    x: clamp(place.x, 0, COLUMNS - w),
    y: clamp(place.y, 0, MAX_ROW),
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(Math.round(value), least), most);
}

/** From left to right, line by line. */
export function inReadingOrder<T extends Placed>(items: readonly T[]): T[] {
  return [...items].sort((a, b) => a.place.y - b.place.y || a.place.x - b.place.x);
}

/** Everything as high as it can be, without two at one place; the order of the list stays. */
export function compact<T extends Placed>(items: readonly T[]): T[] {
  const done: Placed[] = [];
  const places = new Map<string, Place>();
  for (const { id, place } of inReadingOrder(items)) {
    const free = (y: number): boolean => done.every((other) => !overlap({ ...place, y }, other.place));
    let { y } = place;
    while (y > 0 && free(y - 1)) y--;
    while (!free(y)) y++;
    done.push({ id, place: { ...place, y } });
    places.set(id, { ...place, y });
  }
  return items.map((item) => ({ ...item, place: places.get(item.id) ?? item.place }));
}

/** A widget at another place or of another size; those in its way go above it if there is room, below it if not. */
export function put<T extends Placed>(items: readonly T[], id: string, wanted: Place, least?: Least): T[] {
  const place = within(wanted, least);
  const others = inReadingOrder(items.filter((item) => item.id !== id));
  const settled: Placed[] = [{ id, place }];
  const hits = (candidate: Place, against: readonly Placed[]): Placed | undefined =>
    against.find((other) => overlap(candidate, other.place));

  for (const [i, other] of others.entries()) {
    let at = other.place;
    if (overlap(at, place)) {
      const above = { ...at, y: place.y - at.h };
      if (above.y >= 0 && !hits(above, settled) && !hits(above, others.slice(i + 1))) at = above;
    }
    for (let hit = hits(at, settled); hit; hit = hits(at, settled)) at = { ...at, y: hit.place.y + hit.place.h };
    settled.push({ id: other.id, place: at });
  }
  const places = new Map(settled.map((item) => [item.id, item.place]));
  return compact(items.map((item) => ({ ...item, place: places.get(item.id) ?? item.place })));
}

/** One step by keyboard: as far in a direction as is needed for something to change; the same list if nothing does. */
export function nudge<T extends Placed>(items: readonly T[], id: string, dx: number, dy: number): readonly T[] {
  const place = items.find((item) => item.id === id)?.place;
  if (!place) return items;
  const farthest = COLUMNS + rowsOf(items);
  for (let step = 1; step <= farthest; step++) {
    const wanted = { ...place, x: place.x + dx * step, y: place.y + dy * step };
    if (wanted.x < 0 || wanted.x + wanted.w > COLUMNS || wanted.y < 0) return items;
    const moved = put(items, id, wanted);
    if (moved.some((item, i) => !samePlace(item.place, items[i]?.place ?? item.place))) return moved;
  }
  return items;
}

/** A widget of another size by keyboard. */
export function grow<T extends Placed>(items: readonly T[], id: string, dw: number, dh: number, least?: Least): readonly T[] {
  const place = items.find((item) => item.id === id)?.place;
  if (!place) return items;
  const wanted = within({ ...place, w: Math.min(place.w + dw, COLUMNS - place.x), h: place.h + dh }, least);
  return samePlace(wanted, place) ? items : put(items, id, wanted, least);
}

/** In one column: change places with the one before or after. */
export function swapInOrder<T extends Placed>(items: readonly T[], id: string, step: -1 | 1): readonly T[] {
  const order = inReadingOrder(items);
  const at = order.findIndex((item) => item.id === id);
  const [item, other] = [order[at], order[at + step]];
  if (!item || !other) return items;
  const swapped = items.map((one) => {
    if (one.id === item.id) return { ...one, place: within({ ...one.place, x: other.place.x, y: other.place.y }) };
    if (one.id === other.id) return { ...one, place: within({ ...one.place, x: item.place.x, y: item.place.y }) };
    return one;
  });
  const first = step < 0 ? item.id : other.id;
  const place = swapped.find((one) => one.id === first)?.place;
  return place ? put(swapped, first, place) : swapped;
}

/** The first place that is free for something of this size, line by line. */
export function freePlace(items: readonly Placed[], size: Least): Place {
  const { w, h } = within({ x: 0, y: 0, ...size });
  for (let y = 0; y <= rowsOf(items); y++) {
    for (let x = 0; x + w <= COLUMNS; x++) {
      const place = { x, y, w, h };
      if (items.every((item) => !overlap(item.place, place))) return place;
    }
  }
  return { x: 0, y: rowsOf(items), w, h };
}

/** Rows that are used. */
export function rowsOf(items: readonly Placed[]): number {
  return Math.max(0, ...items.map(({ place }) => place.y + place.h));
}
