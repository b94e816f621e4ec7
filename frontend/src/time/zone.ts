/**
 * The time zone in which times are shown, typed and asked for: the browser's, or UTC by the user's choice. Every question
 * says it, so that days, weeks and months of an answer are those that its reader has.
 */
import { computed, readonly, ref } from "vue";
import { readText, writeText } from "@/composables/storage";

const chosenUtc = ref(readText("time-zone") === "utc");

/** IANA name of the browser's zone; UTC where it does not know its own. */
function browserZone(): string {
  const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return !name || name === "Etc/Unknown" ? "UTC" : name;
}

/** Whether times are in UTC rather than in the browser's zone. */
export const inUtc = readonly(chosenUtc);

export function setUtc(value: boolean): void {
  chosenUtc.value = value;
  writeText("time-zone", value ? "utc" : "local");
}

/** IANA name of the zone, as questions say it. */
export const zone = computed(() => (chosenUtc.value ? "UTC" : browserZone()));

/** What stands beside a time: `UTC`, or how far from it the browser's zone is at that moment (`UTC+1`, `UTC−3:30`). */
export function zoneMark(ms: number, utc: boolean): string {
  if (utc || Number.isNaN(ms)) return "UTC";
  // Minutes that UTC is ahead, whole ones: zones of centuries ago had seconds.
  const minutes = -Math.round(new Date(ms).getTimezoneOffset());
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  if (minutes === 0) return "UTC";
  return `UTC${minutes < 0 ? "−" : "+"}${hours}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
}

/** The zone in words: `Europe/Paris (UTC+1)`, `UTC`. */
export function zoneWords(ms: number, utc: boolean): string {
  const name = browserZone().replaceAll("_", " ");
  return utc || name === "UTC" ? "UTC" : `${name} (${zoneMark(ms, utc)})`;
}
