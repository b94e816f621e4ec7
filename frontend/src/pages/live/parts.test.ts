import { describe, expect, it } from "vitest";
import { effectScope, nextTick, ref } from "vue";
import type { LocationQuery } from "vue-router";
import { addEvent, COURSE_SECONDS, figuresOf, type Course } from "@/pages/live/course";
import { courseTable, pointsOf } from "@/pages/live/courseChart";
import { readLiveEvent, type LiveEvent } from "@/pages/live/liveEvent";
import { liveCodec } from "@/pages/live/liveState";
import { eventParser, serverEvents } from "@/pages/live/sse";
import { MOST_ROWS, useLiveRows } from "@/pages/live/useLiveRows";

const event = (flows: number, seen = flows, shown = 0): LiveEvent => ({
  flows: Array.from({ length: shown }, () => ({})),
  seen,
  missed: 0,
  rates: { "bits/s": flows * 1000, "packets/s": flows * 10, "flows/s": flows },
});

describe("events of the server", () => {
  it("are whole wherever the bytes are cut", () => {
    const text = "event: flows\r\ndata: {\"a\":1}\r\n\r\n: a comment\n\ndata: x\ndata: y\n\nevent: refused\ndata: {}\n\n";
    for (let size = 1; size < text.length; size += 3) {
      const parse = eventParser();
      const found = [];
      for (let at = 0; at < text.length; at += size) found.push(...parse(text.slice(at, at + size)));
      expect(found).toEqual([
        { event: "flows", data: '{"a":1}' },
        { event: "message", data: "x\ny" },
        { event: "refused", data: "{}" },
      ]);
    }
  });

  it("do not fill the memory", () => {
    const parse = eventParser();
    expect(() => Array.from({ length: 10 }, () => parse("x".repeat(1_000_000)))).toThrow("no end");
  });

  it("come out of a stream, letters of several bytes included", async () => {
    const bytes = new TextEncoder().encode("data: é🇫🇷\n\n");
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const found = [];
    for await (const one of serverEvents(body)) found.push(one.data);
    expect(found).toEqual(["é🇫🇷"]);
  });

  it("are read only if they make sense", () => {
    expect(readLiveEvent("{")).toBeNull();
    expect(readLiveEvent("[]")).toBeNull();
    expect(readLiveEvent('{"flows":[{"SrcPort":1},7,null],"seen":"x","missed":-1,"rates":{"flows_per_second":2.5}}')).toEqual({
      flows: [{ SrcPort: 1 }],
      seen: 0,
      missed: 0,
      rates: { "bits/s": 0, "packets/s": 0, "flows/s": 2.5 },
    });
  });
});

describe("the course of the rates", () => {
  const course = (rates: number[], start = 0): Course => rates.reduce<Course>((so, rate, i) => addEvent(so, event(rate), start + i * 1000), []);

  it("averages the events of a second and adds up their flows", () => {
    const so = [event(10, 5, 2), event(30, 15, 3)].reduce<Course>((sum, one, i) => addEvent(sum, one, 5000 + i * 400), []);
    expect(so).toEqual([{ second: 5, events: 2, rates: { "bits/s": 20_000, "packets/s": 200, "flows/s": 20 }, seen: 20, shown: 5 }]);
  });

  it("forgets what is older than five minutes", () => {
    const so = course(Array.from({ length: COURSE_SECONDS + 50 }, () => 1));
    expect(so).toHaveLength(COURSE_SECONDS);
  });

  it("is steady over five seconds, and knows its peak", () => {
    const figures = figuresOf(course([100, 0, 10, 10, 10, 10, 10, 999]))!;
    expect(figures.now["flows/s"]).toBe(10);
    expect(figures.peak["flows/s"]).toBe(100);
    expect(figures.average["flows/s"]).toBeCloseTo(150 / 7);
    expect(figuresOf([])).toBeNull();
  });

  it("leaves the first event of a connection out: it measures no whole interval", () => {
    expect(addEvent([], { ...event(99_999), first: true }, 0)).toEqual([]);
  });

  it("has a gap where nothing was heard", () => {
    const so = addEvent(course([1, 2]), event(3), 60_000);
    expect(pointsOf(so, "flows/s")).toEqual([[0, 1], [1000, 2], [2000, null], [60_000, 3]]);
    expect(courseTable(so, "flows/s", true).rows).toEqual([["00:00:00 UTC", "1\u00a0flows/s"], ["00:01:00 UTC", "3\u00a0flows/s"]]);
  });
});

describe("the rows of the stream", () => {
  function rowsWith(still: () => boolean) {
    return effectScope().run(() => useLiveRows(still))!;
  }
  const flow = (port: number) => ({ SrcPort: port });

  it("have new ones on top, and an end", () => {
    const { rows, add } = rowsWith(() => false);
    add([flow(1), flow(2)], 0);
    add([flow(3)], 1);
    expect(rows.value.map((row) => row.flow["SrcPort"])).toEqual([3, 2, 1]);
    add(Array.from({ length: 2 * MOST_ROWS }, (_, i) => flow(i)), 2);
    expect(rows.value).toHaveLength(MOST_ROWS);
    expect(new Set(rows.value.map(({ id }) => id)).size).toBe(MOST_ROWS);
  });

  it("stand still, are counted meanwhile, and go on with the latest", async () => {
    const still = ref(false);
    const { rows, held, add } = rowsWith(() => still.value);
    add([flow(1)], 0);
    still.value = true;
    await nextTick();
    add([flow(2), flow(3)], 1);
    expect([rows.value.length, held.value]).toEqual([1, 2]);
    still.value = false;
    await nextTick();
    expect([rows.value.length, held.value]).toEqual([3, 0]);
  });
});

describe("the address of the live page", () => {
  it("says everything and comes back", () => {
    const state = { filter: "DstPort = 53", rate: 100, columns: ["Proto"], by: ["SrcAS", "DstPort"], measure: "flows/s" as const };
    expect(liveCodec.parse(liveCodec.serialise(state) as LocationQuery)).toEqual(state);
  });
  it("passes over what cannot be", () => {
    expect(liveCodec.parse({ rate: "1000000", by: "<b>", measure: "furlongs" })).toEqual(liveCodec.parse({}));
  });
});
