/**
 * Words for a moment: `now-6h`, `6 hours ago`, `yesterday 8:00`, `last monday`, `now-1d/d`, `start of month`,
 * `2026-01-31 12:00`, `31 Jan 12:00`, ISO 8601, Unix seconds. English, as the filter language is.
 */
import { add, fieldsOf, momentOf, startOf, weekday, type TimeUnit } from "@/time/calendar";

const UNIT_WORDS: Readonly<Record<string, TimeUnit>> = {
  s: "second", sec: "second", secs: "second", second: "second", seconds: "second",
  m: "minute", min: "minute", mins: "minute", minute: "minute", minutes: "minute",
  h: "hour", hr: "hour", hrs: "hour", hour: "hour", hours: "hour",
  d: "day", day: "day", days: "day",
  w: "week", wk: "week", week: "week", weeks: "week",
  mo: "month", month: "month", months: "month",
  q: "quarter", quarter: "quarter", quarters: "quarter",
  y: "year", yr: "year", year: "year", years: "year",
};

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const NUMBER_WORDS: Readonly<Record<string, number>> = {
  a: 1, an: 1, one: 1, two: 2, three: 3, four: 4, five: 5, six: 6, seven: 7, eight: 8, nine: 9, ten: 10, twelve: 12,
};

const MAX_COUNT = 1e6;
const FIRST = 0;
/** 9999-12-31T23:59:59Z. */
const LAST = 253_402_300_799_000;

interface Now {
  ms: number;
  utc: boolean;
}

type Rule = (text: string, now: Now) => number | null;

/**
 * The moment that a text means, in Unix milliseconds; null if it means none.
 *
 * `now` is Unix milliseconds; `utc` says whether words such as "yesterday" or "8:00" are of UTC or of the browser's zone.
 */
export function parseMoment(text: string, now: number, utc = false): number | null {
  const words = text.trim().toLowerCase().replaceAll(/\s+/g, " ").replaceAll(/,/g, "");
  if (!words || words.length > 100) return null;
  for (const rule of RULES) {
    const ms = rule(words, { ms: now, utc });
    if (ms !== null) return Number.isFinite(ms) && ms >= FIRST && ms <= LAST ? ms : null;
  }
  return null;
}

/** `now`, `now-6h`, `now-1d/d`, `-6h`. */
const nowRule: Rule = (text, { ms, utc }) => {
  const found = /^(?:now)?((?: ?[+-] ?\d{1,6} ?[a-z]+)*)(?: ?\/ ?([a-z]+))?$/.exec(text);
  if (!found || (!text.startsWith("now") && !found[1])) return null;
  let moment = ms;
  for (const [, sign, count, word] of (found[1] ?? "").matchAll(/([+-]) ?(\d+) ?([a-z]+)/g)) {
    const unit = unitOf(word);
    if (!unit) return null;
    moment = add(moment, (sign === "-" ? -1 : 1) * Number(count), unit, utc);
  }
  if (found[2] === undefined) return moment;
  const rounded = unitOf(found[2]);
  return rounded ? startOf(moment, rounded, utc) : null;
};

/** `6 hours ago`, `1h 30m ago`, `a week ago`, `half an hour ago`, `in 5 minutes`. */
const agoRule: Rule = (text, { ms, utc }) => {
  const found = /^(?:(.+) ago|in (.+)|(.+) from now)$/.exec(text);
  const span = found?.[1] ?? found?.[2] ?? found?.[3];
  if (!span) return null;
  const sign = found?.[1] === undefined ? 1 : -1;
  if (span === "half an hour") return ms + sign * 1_800_000;
  let moment = ms;
  let rest = span;
  while (rest) {
    const part = /^(\d{1,6}(?:\.\d+)?|[a-z]+) ?([a-z]+)(?: and | )?/.exec(rest);
    const count = part?.[1] === undefined ? undefined : (NUMBER_WORDS[part[1]] ?? Number(part[1]));
    const unit = unitOf(part?.[2]);
    if (!part || count === undefined || !(count <= MAX_COUNT) || !unit) return null;
    moment = Number.isInteger(count) ? add(moment, sign * count, unit, utc) : fraction(moment, sign * count, unit);
    rest = rest.slice(part[0].length);
  }
  return moment;
};

/** `start of week`, `this month`, `last year`, `end of day`. */
const startRule: Rule = (text, { ms, utc }) => {
  const found = /^(?:(?:the )?(start|beginning|end) of )?(?:the )?(this |last |previous |next )?([a-z]+)$/.exec(text);
  const unit = unitOf(found?.[3]);
  if (!found || !unit || (!found[1] && !found[2])) return null;
  const which = found[2]?.trim();
  const shift = (which === "last" || which === "previous" ? -1 : which === "next" ? 1 : 0) + (found[1] === "end" ? 1 : 0);
  return add(startOf(ms, unit, utc), shift, unit, utc);
};

/** A day in words, and perhaps a time: `yesterday`, `last monday at 8:00`, `31 jan 2026 12:00`, `8pm`. */
const dayRule: Rule = (text, now) => {
  for (const [day, rest] of dayReadings(text, now)) {
    const time = timeOfDay(rest.replace(/^ ?(?:at )?/, ""));
    if (time === null) continue;
    const [year, month, date] = fieldsOf(day, now.utc);
    return momentOf([year, month, date, ...time], now.utc);
  }
  return null;
};

/** ISO 8601 with a zone, or with a `T`. */
const isoRule: Rule = (text, { utc }) => {
  const found = /^(\d{4})-(\d{2})-(\d{2})t(\d{2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?(z|[+-]\d{2}:?\d{2})?$/.exec(text);
  if (!found) return null;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0));
  if (!isDate(year ?? 0, month ?? 0, day ?? 0) || hour! > 23 || minute! > 59 || second! > 59) return null;
  const fields = [year, month! - 1, day, hour, minute, second] as Parameters<typeof momentOf>[0];
  const part = found[7] ? Math.round(Number(found[7]) * 1000) : 0;
  const zone = found[8];
  if (zone === undefined) return momentOf(fields, utc) + part;
  return momentOf(fields, true) + part - offsetMinutes(zone) * 60_000;
};

/** Unix seconds or milliseconds, perhaps after an `@`. */
const unixRule: Rule = (text) => {
  const found = /^@?(\d{9,10}|\d{12,13})$/.exec(text);
  return found ? Number(found[1]) * ((found[1]?.length ?? 0) > 10 ? 1 : 1000) : null;
};

const RULES: readonly Rule[] = [nowRule, isoRule, unixRule, agoRule, startRule, dayRule];

function unitOf(word: string | undefined): TimeUnit | undefined {
  return word !== undefined && Object.hasOwn(UNIT_WORDS, word) ? UNIT_WORDS[word] : undefined;
}

/** `1.5 hours`: parts of months and years have no length of their own and are refused. */
function fraction(ms: number, count: number, unit: TimeUnit): number {
  const seconds = { second: 1, minute: 60, hour: 3600, day: 86_400, week: 604_800, month: NaN, quarter: NaN, year: NaN };
  return ms + count * seconds[unit] * 1000;
}

/** Ways to read the beginning of a text as a day, each with what is left of the text. */
function* dayReadings(text: string, { ms, utc }: Now): Generator<[number, string]> {
  const today = startOf(ms, "day", utc);
  const word = /^(today|yesterday|tomorrow)\b/.exec(text);
  if (word) yield [add(today, ({ yesterday: -1, tomorrow: 1 })[word[1]!] ?? 0, "day", utc), text.slice(word[0].length)];

  const named = /^(?:(last|this|next) )?(?:on )?(mon|tue|wed|thu|fri|sat|sun)[a-z]*\b/.exec(text);
  if (named) {
    const back = (weekday(ms, utc) - WEEKDAYS.indexOf(named[2]!) + 7) % 7;
    // "monday" is the latest one, today included; "last monday" lies before today; "next" after it.
    const days = named[1] === "next" ? 7 - back : named[1] === "last" && back === 0 ? -7 : -back;
    yield [add(today, days, "day", utc), text.slice(named[0].length)];
  }

  const numeric = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})\b/.exec(text);
  if (numeric) {
    const [year, month, day] = numeric.slice(1).map(Number) as [number, number, number];
    if (isDate(year, month, day)) yield [momentOf([year, month - 1, day, 0, 0, 0], utc), text.slice(numeric[0].length)];
  }

  const worded =
    /^(\d{1,2})(?:st|nd|rd|th)?\.? ([a-z]{3})[a-z]*(?: (\d{4}))?\b/.exec(text) ??
    reorder(/^([a-z]{3})[a-z]* (\d{1,2})(?:st|nd|rd|th)?(?: (\d{4}))?\b(?!:)/.exec(text));
  const month = worded ? MONTHS.indexOf(worded[2]!) : -1;
  if (worded && month >= 0) {
    const thisYear = fieldsOf(ms, utc)[0];
    let year = worded[3] ? Number(worded[3]) : thisYear;
    // Without a year it is the latest one: traffic lies in the past.
    if (!worded[3] && momentOf([year, month, Number(worded[1]), 0, 0, 0], utc) > ms) year--;
    if (isDate(year, month + 1, Number(worded[1]))) {
      yield [momentOf([year, month, Number(worded[1]), 0, 0, 0], utc), text.slice(worded[0]!.length)];
    }
  }
  yield [today, text];
}

/** `jan 31 2026` in the order of `31 jan 2026`. */
function reorder(found: RegExpExecArray | null): string[] | null {
  return found && [found[0], found[2] ?? "", found[1] ?? "", found[3] ?? ""];
}

/** Hour, minute, second of `8:00`, `8pm`, `20:15:30`, `noon`; of nothing: midnight. */
function timeOfDay(text: string): [number, number, number] | null {
  if (text === "" || text === "midnight") return [0, 0, 0];
  if (text === "noon") return [12, 0, 0];
  const found = /^(\d{1,2})(?::(\d{2})(?::(\d{2}))?)? ?(am|pm)?$/.exec(text);
  if (!found || (found[2] === undefined && found[4] === undefined)) return null;
  let hour = Number(found[1]);
  if (found[4] !== undefined) {
    if (hour < 1 || hour > 12) return null;
    hour = (hour % 12) + (found[4] === "pm" ? 12 : 0);
  }
  const [minute, second] = [Number(found[2] ?? 0), Number(found[3] ?? 0)];
  return hour > 23 || minute > 59 || second > 59 ? null : [hour, minute, second];
}

function isDate(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function offsetMinutes(zone: string): number {
  if (zone === "z") return 0;
  const digits = zone.replace(":", "");
  return (zone.startsWith("-") ? -1 : 1) * (Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5)));
}
