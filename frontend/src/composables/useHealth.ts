/** What each part of the collector says of itself: what is wrong, and what somebody may want to know. */
import { api, ask } from "@/api/client";
import { ApiError } from "@/api/problem";
import { usePolling } from "@/composables/usePolling";
import { useQuestion, type Question } from "@/composables/useQuestion";
import { useSession } from "@/composables/useSession";

const POLL_MS = 30_000;

/** `note`: nothing is wrong. `past`: an error that is over. */
export type Tone = "failed" | "degraded" | "note" | "past";

export interface Said {
  part: string;
  tone: Tone;
  text: string;
  /** When it happened; null: it is so now. */
  at: string | null;
}

const WORST_FIRST: readonly Tone[] = ["failed", "degraded", "note", "past"];

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}
function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string" && one !== "") : [];
}

function saidBy(part: string, condition: Fields): Said[] {
  const tone = condition["status"] === "failed" ? "failed" : "degraded";
  const reasons = texts(condition["reasons"]);
  const error = texts([condition["last_error"]]).filter((text) => !reasons.some((reason) => reason.includes(text)));
  const at = texts([condition["last_error_at"]])[0] ?? null;
  return [
    ...reasons.map((text) => ({ part, tone, text, at: null }) as const),
    ...texts(condition["notes"]).map((text) => ({ part, tone: "note", text, at: null }) as const),
    ...error.map((text) => ({ part, tone: "past", text, at }) as const),
  ];
}

/** What `/health` says, the worst first. */
export function saidIn(report: unknown): Said[] {
  const parts = Object.entries(fieldsOf(fieldsOf(report)["components"]));
  const said = parts.flatMap(([part, condition]) => saidBy(part, fieldsOf(condition)));
  return said.sort((a, b) => WORST_FIRST.indexOf(a.tone) - WORST_FIRST.indexOf(b.tone));
}

async function askHealth(signal: AbortSignal): Promise<Said[]> {
  try {
    return saidIn(await ask(api.GET("/health", { signal })));
  } catch (error) {
    // A collector that fails answers 503, and says why.
    if (error instanceof ApiError && "components" in error.problem) return saidIn(error.problem);
    throw error;
  }
}

/** Asked again and again while the page is looked at; not for those who may not know. */
export function useHealth(): Question<Said[]> {
  const { mayOperate } = useSession();
  const question = useQuestion(
    () => (mayOperate.value ? {} : null),
    (_, signal) => askHealth(signal),
  );
  usePolling(question.refresh, () => (mayOperate.value ? POLL_MS : 0));
  return question;
}
