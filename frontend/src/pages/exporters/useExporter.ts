/** One exporter, asked again and again while its page is looked at. */
import { api, ask } from "@/api/client";
import { usePolling } from "@/composables/usePolling";
import { useQuestion, type Question } from "@/composables/useQuestion";
import type { ExporterDetail } from "@/pages/exporters/wording";

/** The answer reads the store. */
const POLL_MS = 10_000;

/** Not asked for an address of nothing. */
export function useExporter(address: () => string | null): Question<ExporterDetail> {
  const question = useQuestion(
    () => address(),
    (wanted, signal) => ask(api.GET("/api/v1/exporters/{address}", { params: { path: { address: wanted } }, signal })),
    { debounce: 0 },
  );
  usePolling(question.refresh, () => (address() === null ? 0 : POLL_MS));
  return question;
}
