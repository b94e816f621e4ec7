/** Formats that follow the user's choice of time zone. Times in sentences name their zone; columns and axes name it once. */
import { formatRange, formatTime, formatValue, type Moment, type ShownColumn, type TimeStyle, type Value } from "@/format";
import { inUtc, setUtc, zone, zoneMark, zoneWords } from "@/time/zone";

const msOf = (moment: Moment): number => new Date(moment).getTime();

/** A time of a sentence, with its zone. */
export function zonedTime(moment: Moment, utc: boolean, style?: TimeStyle): string {
  const text = formatTime(moment, utc, style);
  return style === "date" || Number.isNaN(msOf(moment)) ? text : `${text} ${zoneMark(msOf(moment), utc)}`;
}

/** A range of a sentence, with its zone; with both where the clocks change in it. */
export function zonedRange(start: Moment, end: Moment, utc: boolean): string {
  const [first, last] = [zoneMark(msOf(start), utc), zoneMark(msOf(end), utc)];
  if (first === last) return `${formatRange(start, end, utc)} ${last}`;
  return `${zonedTime(start, utc, "minute")} – ${zonedTime(end, utc, "minute")}`;
}

export function useFormat() {
  return {
    /** Whether times are shown (and typed) in UTC rather than in the browser's zone. */
    utc: inUtc,
    setUtc,
    /** IANA name of that zone. */
    zone,
    /** The zone in words, as it is at a moment. */
    zoneWords: (moment: Moment): string => zoneWords(msOf(moment), inUtc.value),
    /** A time with its zone. */
    time: (moment: Moment, style?: TimeStyle): string => zonedTime(moment, inUtc.value, style),
    /** A time where the zone is said beside it. */
    bareTime: (moment: Moment, style?: TimeStyle): string => formatTime(moment, inUtc.value, style),
    range: (start: Moment, end: Moment): string => zonedRange(start, end, inUtc.value),
    value: (column: ShownColumn, value: Value): string => formatValue(column, value, inUtc.value),
  };
}
