/** Formats that follow the user's choice of time zone. */
import { readonly, ref } from "vue";
import { readText, writeText } from "@/composables/storage";
import { formatRange, formatTime, formatValue, type Moment, type ShownColumn, type TimeStyle, type Value } from "@/format";

const utc = ref(readText("time-zone") === "utc");

export function useFormat() {
  return {
    /** Whether times are shown (and typed) in UTC rather than in the browser's zone. */
    utc: readonly(utc),
    setUtc(value: boolean): void {
      utc.value = value;
      writeText("time-zone", value ? "utc" : "local");
    },
    time: (moment: Moment, style?: TimeStyle): string => formatTime(moment, utc.value, style),
    range: (start: Moment, end: Moment): string => formatRange(start, end, utc.value),
    value: (column: ShownColumn, value: Value): string => formatValue(column, value, utc.value),
  };
}
