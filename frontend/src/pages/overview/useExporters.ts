/** The exporters and their rates, asked again and again while the page is looked at. */
import { api, ask } from "@/api/client";
import { usePolling } from "@/composables/usePolling";
import { useQuestion, type Question } from "@/composables/useQuestion";
import { useSession } from "@/composables/useSession";
import type { ExporterView } from "@/pages/overview/exporters";

const POLL_MS = 5000;

/** Not asked for those who may not know. */
export function useExporters(): Question<ExporterView[]> {
  const { mayOperate } = useSession();
  const question = useQuestion(
    () => (mayOperate.value ? {} : null),
    (_, signal) => ask(api.GET("/api/v1/exporters", { signal })),
    { isEmpty: (exporters) => exporters.length === 0 },
  );
  usePolling(question.refresh, () => (mayOperate.value ? POLL_MS : 0));
  return question;
}
