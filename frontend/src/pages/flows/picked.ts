import type { Value } from "@/format";
import type { Flow, FlowColumn } from "@/pages/flows/values";

export interface Place {
  x: number;
  y: number;
}

/** A value of a flow that was clicked, and where. */
export interface Picked {
  column: FlowColumn;
  value: Value;
  text: string;
  flow: Flow;
  at: Place;
}

/** A flow in a table. */
export interface TableFlow {
  id: string;
  flow: Flow;
  /** When it came, if that is to be seen (Unix milliseconds). */
  born?: number;
}

/** Where a menu goes that a control opens: at the pointer, or below the control if a key did it. */
export function placeOf(event: MouseEvent): Place {
  if (event.clientX || event.clientY) return { x: event.clientX, y: event.clientY };
  const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
  return { x: box.left, y: box.bottom };
}
