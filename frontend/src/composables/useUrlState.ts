/**
 * State of a page in its address: readable, versioned, and only what differs from the default.
 *
 *     const codec = urlCodec({ q: textField(""), by: listField(["SrcAS"]), limit: integerField(10, 1, 50) });
 *     const { state, update } = useUrlState(codec);
 *     update({ limit: 20 });             // a new entry of the history
 *     update({ q: "x" }, { replace: true });
 */
import { computed, shallowRef, watch, type ComputedRef } from "vue";
import { useRoute, useRouter, type LocationQuery, type LocationQueryRaw } from "vue-router";

/** Two pure functions, each the inverse of the other. `parse` accepts anything and never throws. */
export interface UrlCodec<S> {
  parse: (query: LocationQuery) => S;
  serialise: (state: S) => LocationQueryRaw;
}

/** One value: what its text means (undefined: nothing), how it is written, and what it is if the address is silent. */
export interface UrlField<T> {
  usual: T;
  read: (text: string) => T | undefined;
  write: (value: T) => string;
}

export function textField(usual: string): UrlField<string> {
  return { usual, read: (text) => text, write: (value) => value };
}

export function integerField(usual: number, least: number, most: number): UrlField<number> {
  return {
    usual,
    read: (text) => {
      const value = /^-?\d{1,15}$/.test(text) ? Number(text) : NaN;
      return value >= least && value <= most ? value : undefined;
    },
    write: String,
  };
}

export function flagField(usual = false): UrlField<boolean> {
  return { usual, read: (text) => (text === "1" ? true : text === "0" ? false : undefined), write: (value) => (value ? "1" : "0") };
}

export function choiceField<T extends string>(usual: T, choices: readonly T[]): UrlField<T> {
  return { usual, read: (text) => choices.find((choice) => choice === text), write: (value) => value };
}

/** Items between commas that have no backslash before them. */
function splitNames(text: string): string[] {
  if (text === "") return [];
  const items = [""];
  for (const [token] of text.matchAll(/\\.|[^]/g)) {
    if (token === ",") items.push("");
    else items[items.length - 1] += token.length > 1 ? token.slice(1) : token;
  }
  return items;
}

/** Names, set apart by commas (a comma or a backslash in a name is written with a backslash before it). */
export function listField(usual: readonly string[]): UrlField<readonly string[]> {
  return {
    usual,
    read: splitNames,
    write: (value) => value.map((item) => item.replaceAll(/[\\,]/g, "\\$&")).join(","),
  };
}

type FieldsOf<S> = { [K in keyof S]: UrlField<S[K]> };

const VERSION_KEY = "v";

function firstText(value: LocationQuery[string] | undefined): string | undefined {
  const first = Array.isArray(value) ? value[0] : value;
  return first ?? undefined;
}

/**
 * A codec out of fields; each is a key of the address. Unknown keys, unknown versions and values that make no sense are
 * passed over. Raise `version` when a key changes its meaning, and read the old one in `upgrade`.
 */
export function urlCodec<S extends Record<string, unknown>>(
  fields: FieldsOf<S>,
  version = 1,
  upgrade: (query: LocationQuery, from: number) => LocationQuery = (query) => query,
): UrlCodec<S> {
  const entries = Object.entries(fields) as [string, UrlField<unknown>][];
  return {
    parse(query) {
      const from = Number(firstText(query[VERSION_KEY]) ?? version);
      const known = from < version ? upgrade(query, from) : query;
      return Object.fromEntries(
        entries.map(([key, field]) => {
          const text = firstText(known[key]);
          const value = text === undefined ? undefined : field.read(text);
          return [key, value === undefined ? field.usual : value];
        }),
      ) as S;
    },
    serialise(state) {
      const query: LocationQueryRaw = {};
      for (const [key, field] of entries) {
        const text = field.write(state[key]);
        if (text !== field.write(field.usual)) query[key] = text;
      }
      return Object.keys(query).length ? { [VERSION_KEY]: String(version), ...query } : query;
    },
  };
}

export interface UrlState<S> {
  state: ComputedRef<S>;
  /** Change some of it: a new entry of the history unless `replace`. Several changes in one turn are one entry. */
  update: (change: Partial<S>, options?: { replace?: boolean }) => void;
}

/** The state in the address of the current page. */
export function useUrlState<S extends object>(codec: UrlCodec<S>): UrlState<S> {
  const route = useRoute();
  const router = useRouter();
  const own = route.name;
  const current = shallowRef(codec.parse(route.query));
  let pending: { replace: boolean } | null = null;

  watch(
    () => route.query,
    (query) => {
      // The address of the page that comes next is not this one's.
      if (route.name === own && !pending) current.value = codec.parse(query);
    },
  );

  function update(change: Partial<S>, { replace = false } = {}): void {
    current.value = { ...current.value, ...change };
    if (pending) {
      pending.replace &&= replace;
      return;
    }
    pending = { replace };
    queueMicrotask(() => {
      const how = pending;
      pending = null;
      const to = { query: codec.serialise(current.value), hash: route.hash };
      void (how?.replace ? router.replace(to) : router.push(to));
    });
  }
  return { state: computed(() => current.value), update };
}
