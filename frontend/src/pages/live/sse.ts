/** Server-sent events out of a stream of bytes. `EventSource` would not say why a server refuses. */

export interface ServerEvent {
  event: string;
  data: string;
}

/** What is read of one event at most: a server that never ends one must not fill the memory. */
const MOST_LETTERS = 4_000_000;

/** A parser that is fed text as it comes and gives the events that are complete. */
export function eventParser(): (text: string) => ServerEvent[] {
  let rest = "";
  let event = "";
  let data: string[] = [];

  function line(text: string, found: ServerEvent[]): void {
    if (text === "") {
      if (data.length) found.push({ event: event || "message", data: data.join("\n") });
      event = "";
      data = [];
      return;
    }
    const colon = text.indexOf(":");
    const field = colon === -1 ? text : text.slice(0, colon);
    const value = colon === -1 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (field === "data") data.push(value);
    else if (field === "event") event = value;
  }
  return (text) => {
    const found: ServerEvent[] = [];
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    if (rest.length > MOST_LETTERS) throw new Error("the server sends an event that has no end");
    for (const one of lines) line(one, found);
    return found;
  };
}

/** Events of a response's body until it ends. */
export async function* serverEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parse = eventParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parse(decoder.decode(value, { stream: true }));
    }
  } finally {
    // Whoever stops listening does not want the rest.
    void reader.cancel().catch(() => undefined);
  }
}
