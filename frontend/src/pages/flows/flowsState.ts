/** What the address of the page of flows says. */
import { integerField, textField, urlCodec, type UrlField } from "@/composables/useUrlState";
import { cleanNames, USUAL_COLUMNS } from "@/pages/flows/columns";

// A type, not an interface: only those are records to the compiler.
export type FlowsState = {
  filter: string;
  from: string;
  to: string;
  columns: readonly string[];
  /** Id of the flow that is open; empty: none. */
  flow: string;
  /** Seconds between refreshes; 0: none. */
  refresh: number;
};

/** Names of columns; of an address that names none that can be, the usual ones. */
export function columnsField(usual: readonly string[]): UrlField<readonly string[]> {
  return {
    usual,
    read: (text) => {
      const names = cleanNames(text.split(","));
      return names.length ? names : undefined;
    },
    write: (names) => names.join(","),
  };
}

export const flowsCodec = urlCodec<FlowsState>({
  filter: textField(""),
  from: textField("now-1h"),
  to: textField("now"),
  columns: columnsField(USUAL_COLUMNS),
  flow: { usual: "", read: (text) => (/^\d{1,15}\.\d{1,20}$/.test(text) ? text : undefined), write: (id) => id },
  refresh: integerField(0, 0, 300),
});
