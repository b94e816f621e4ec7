/** What is the same of everything that is saved. */

/** A saved thing, as far as its owner and its readers matter. */
export interface SavedThing {
  id: string;
  name: string;
  description: string;
  owner: string;
  own: boolean;
  shared: boolean;
  updated: string;
}

/** Whether it may be changed: one's own if it is not shared; what is shared by those who may share. */
export function mayChange(saved: Pick<SavedThing, "own" | "shared">, mayShare: boolean): boolean {
  return saved.shared ? mayShare : saved.own;
}
