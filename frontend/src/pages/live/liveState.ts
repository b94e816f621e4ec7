/** What the address of the live page says. */
import { choiceField, integerField, listField, textField, urlCodec, type UrlField } from "@/composables/useUrlState";
import { cleanNames, LIVE_COLUMNS } from "@/pages/flows/columns";
import { columnsField } from "@/pages/flows/flowsState";
import { MEASURES, type Measure } from "@/pages/live/liveEvent";

// A type, not an interface: only those are records to the compiler.
export type LiveState = {
  filter: string;
  /** Flows per second that are shown. */
  rate: number;
  columns: readonly string[];
  /** What talkers are told apart by. */
  by: readonly string[];
  measure: Measure;
};

export const RATES = [5, 10, 20, 50, 100] as const;
export const MOST_BY = 4;

const names = (usual: readonly string[], most: number): UrlField<readonly string[]> => ({
  ...listField(usual),
  read: (text) => {
    const found = cleanNames(text.split(",")).slice(0, most);
    return found.length ? found : undefined;
  },
});

export const liveCodec = urlCodec<LiveState>({
  filter: textField(""),
  rate: integerField(20, 1, 500),
  columns: columnsField(LIVE_COLUMNS),
  by: names(["SrcAddr"], MOST_BY),
  measure: choiceField<Measure>("bits/s", MEASURES),
});
