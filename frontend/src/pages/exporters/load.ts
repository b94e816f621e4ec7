/** Load of an interface. */
import type { InterfaceView } from "@/pages/exporters/wording";

export type Way = "in" | "out";

export function rateOf(one: InterfaceView, way: Way): number {
  return way === "in" ? one.in_bits_per_second : one.out_bits_per_second;
}

/** In per cent of its speed; null if that is not known. */
export function loadOf(one: InterfaceView, way: Way): number | null {
  return one.speed_mbps > 0 ? rateOf(one, way) / (one.speed_mbps * 1e4) : null;
}

/** Interfaces that hold every word in name, description, number or boundary. */
export function matchingInterfaces(interfaces: readonly InterfaceView[], text: string): readonly InterfaceView[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return interfaces.filter(({ index, name, description, boundary }) => {
    const all = `${index} ${name} ${description} ${boundary}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
}
