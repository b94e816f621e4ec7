/** Keys of the keyboard, and what they do while a component lives. */
import { onScopeDispose, readonly, shallowReactive } from "vue";

export interface Shortcut {
  /** `?`, `/`, `space`, `g e` (one after the other), `ctrl+k` (⌘ on a Mac). */
  keys: string;
  description: string;
  run: () => void;
  /** Also while a text is being typed. */
  whileTyping?: boolean;
}

const active = shallowReactive<Shortcut[]>([]);
const SEQUENCE_MS = 1200;
let pending = "";
let pendingSince = 0;

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

/** Name of the key of an event, as `Shortcut.keys` writes it. */
export function keyName(event: KeyboardEvent): string {
  const modifier = event.ctrlKey || event.metaKey ? "ctrl+" : event.altKey ? "alt+" : "";
  // A blank sets the keys of a sequence apart.
  return modifier + (event.key === " " ? "space" : event.key.length === 1 ? event.key.toLowerCase() : event.key);
}

/** The space key presses the control that has the focus. */
function isPressing(event: KeyboardEvent): boolean {
  const { target } = event;
  return event.key === " " && target instanceof Element && target.closest("button, summary, [role=button], [role=menu]") !== null;
}

function handle(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || isPressing(event)) return;
  const typing = isTyping(event.target) || document.querySelector("dialog[open]") !== null;
  const key = keyName(event);
  const sequence = event.timeStamp - pendingSince < SEQUENCE_MS && pending ? `${pending} ${key}` : key;
  // The latest first: a page may take a key from the shell.
  const matching = (keys: string): Shortcut | undefined =>
    active.findLast((shortcut) => shortcut.keys === keys && (!typing || shortcut.whileTyping));
  // A sequence before its last key alone: "g o" leads to the overview whatever "o" does on a page.
  const found = matching(sequence) ?? matching(key);
  pending = found ? "" : key;
  pendingSince = event.timeStamp;
  if (!found) return;
  event.preventDefault();
  found.run();
}

/** Listen to these keys until the component goes. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  if (active.length === 0) document.addEventListener("keydown", handle);
  active.push(...shortcuts);
  onScopeDispose(() => {
    for (const shortcut of shortcuts) active.splice(active.indexOf(shortcut), 1);
    if (active.length === 0) document.removeEventListener("keydown", handle);
  });
}

/** All keys that do something now. */
export const activeShortcuts = readonly(active);
