/** Days and months of the browser's zone or of UTC, behind one face. */

export type TimeUnit = "second" | "minute" | "hour" | "day" | "week" | "month" | "quarter" | "year";

/** Year, month from 0, day, hour, minute, second; what is too large or small carries over. */
export type Fields = [year: number, month: number, day: number, hour: number, minute: number, second: number];

const SECONDS: Partial<Record<TimeUnit, number>> = { second: 1, minute: 60, hour: 3600 };

export function fieldsOf(ms: number, utc: boolean): Fields {
  const d = new Date(ms);
  return utc
    ? [d.getUTCFullYear(), d.getUTCMonth(), d.getUTCDate(), d.getUTCHours(), d.getUTCMinutes(), d.getUTCSeconds()]
    : [d.getFullYear(), d.getMonth(), d.getDate(), d.getHours(), d.getMinutes(), d.getSeconds()];
}

export function momentOf(fields: Fields, utc: boolean): number {
  return utc ? Date.UTC(...fields) : new Date(...fields).getTime();
}

/** Day of the week, Monday is 0. */
export function weekday(ms: number, utc: boolean): number {
  const date = new Date(ms);
  return ((utc ? date.getUTCDay() : date.getDay()) + 6) % 7;
}

/** A moment `count` units later. Days and longer keep the time of day; the 31st becomes the last day of a month. */
export function add(ms: number, count: number, unit: TimeUnit, utc: boolean): number {
  const seconds = SECONDS[unit];
  if (seconds !== undefined) return ms + count * seconds * 1000;
  const [year, month, day, hour, minute, second] = fieldsOf(ms, utc);
  const rest = ((ms % 1000) + 1000) % 1000;
  if (unit === "day" || unit === "week") {
    return momentOf([year, month, day + count * (unit === "week" ? 7 : 1), hour, minute, second], utc) + rest;
  }
  const target = month + count * (unit === "year" ? 12 : unit === "quarter" ? 3 : 1);
  const lastDay = new Date(Date.UTC(year, target + 1, 0)).getUTCDate();
  return momentOf([year, target, Math.min(day, lastDay), hour, minute, second], utc) + rest;
}

/** The first moment of the unit that holds a moment. Weeks start on Monday. */
export function startOf(ms: number, unit: TimeUnit, utc: boolean): number {
  const [year, month, day, hour, minute, second] = fieldsOf(ms, utc);
  switch (unit) {
    case "second":
      return momentOf([year, month, day, hour, minute, second], utc);
    case "minute":
      return momentOf([year, month, day, hour, minute, 0], utc);
    case "hour":
      return momentOf([year, month, day, hour, 0, 0], utc);
    case "day":
      return momentOf([year, month, day, 0, 0, 0], utc);
    case "week":
      return momentOf([year, month, day - weekday(ms, utc), 0, 0, 0], utc);
    case "month":
      return momentOf([year, month, 1, 0, 0, 0], utc);
    case "quarter":
      return momentOf([year, month - (month % 3), 1, 0, 0, 0], utc);
    case "year":
      return momentOf([year, 0, 1, 0, 0, 0], utc);
  }
}
