/** Rates of the last minutes, a bucket per second. */
import { MEASURES, type LiveEvent, type Rates } from "@/pages/live/liveEvent";

export const COURSE_SECONDS = 300;
/** Exporters send in bursts: over so many seconds what is said is steady. */
export const STEADY_SECONDS = 5;

export interface Bucket {
  /** Unix seconds. */
  second: number;
  /** Events in it; their rates are averaged. */
  events: number;
  rates: Rates;
  /** Flows that matched, and flows that were shown. */
  seen: number;
  shown: number;
}

export type Course = readonly Bucket[];

const NONE: Rates = { "bits/s": 0, "packets/s": 0, "flows/s": 0 };

/** The course with an event added; what is older than five minutes goes. */
export function addEvent(course: Course, event: LiveEvent, now: number): Course {
  if (event.first) return course;
  const second = Math.floor(now / 1000);
  const last = course.at(-1);
  const before: Bucket =
    last?.second === second ? last : { second, events: 0, rates: NONE, seen: 0, shown: 0 };
  const events = before.events + 1;
  const rates = Object.fromEntries(
    MEASURES.map((measure) => [measure, (before.rates[measure] * before.events + event.rates[measure]) / events]),
  ) as Rates;
  const bucket = { second, events, rates, seen: before.seen + event.seen, shown: before.shown + event.flows.length };
  const kept = course.filter((one) => one.second > second - COURSE_SECONDS && one.second < second);
  return [...kept, bucket];
}

export interface Figures {
  now: Rates;
  average: Rates;
  peak: Rates;
  /** Per second. */
  seen: number;
  shown: number;
}

function averageOf(buckets: Course, of: (bucket: Bucket) => number): number {
  return buckets.length ? buckets.reduce((sum, bucket) => sum + of(bucket), 0) / buckets.length : 0;
}
function ratesOf(buckets: Course, join: (values: number[]) => number): Rates {
  return Object.fromEntries(MEASURES.map((measure) => [measure, join(buckets.map(({ rates }) => rates[measure]))])) as Rates;
}
const mean = (values: number[]): number => (values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : 0);

/** What there is to say of a course; null while nothing has come. The second that still fills does not count. */
export function figuresOf(course: Course): Figures | null {
  const whole = course.length > 1 ? course.slice(0, -1) : course;
  const end = whole.at(-1)?.second;
  if (end === undefined) return null;
  const steady = whole.filter(({ second }) => second > end - STEADY_SECONDS);
  return {
    now: ratesOf(steady, mean),
    average: ratesOf(whole, mean),
    peak: ratesOf(whole, (values) => Math.max(0, ...values)),
    seen: averageOf(steady, ({ seen }) => seen),
    shown: averageOf(steady, ({ shown }) => shown),
  };
}
