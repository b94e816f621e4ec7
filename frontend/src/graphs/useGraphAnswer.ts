/** The answer to an exploration: asked when it changes, and again and again if wanted; only the latest question counts. */
import { computed, toValue, type MaybeRefOrGetter } from "vue";
import { api, ask } from "@/api/client";
import { useFormat } from "@/composables/useFormat";
import { usePolling } from "@/composables/usePolling";
import { useQuestion } from "@/composables/useQuestion";
import type { Exploration } from "@/graphs/exploration";
import { isEmpty, type GraphAnswer } from "@/graphs/answers";
import { hintOf, questionOf, type GraphQuestion } from "@/graphs/question";
import { askedRange, endsNow, resolveRange, type Span } from "@/time/range";

export interface Answered {
  /** What was asked; while the next answer is awaited it differs from what is wanted. */
  exploration: Exploration;
  answer: GraphAnswer;
  /** Moments the words of the range stood for. */
  span: Span;
}

/** The words of the range mean no range. */
class RangeProblem extends Error {}

async function askGraph(question: GraphQuestion, signal: AbortSignal): Promise<GraphAnswer> {
  switch (question.shape) {
    case "series":
      return { shape: "series", data: await ask(api.POST("/api/v1/flows/series", { body: question.body, signal })) };
    case "top":
      return { shape: "top", data: await ask(api.POST("/api/v1/flows/top", { body: question.body, signal })) };
    case "sankey":
      return { shape: "sankey", data: await ask(api.POST("/api/v1/flows/sankey", { body: question.body, signal })) };
    case "heatmap":
      return { shape: "heatmap", data: await ask(api.POST("/api/v1/flows/heatmap", { body: question.body, signal })) };
  }
}

/**
 * Ask for a graph.
 *
 *     const { answered, state, error, hint, refresh } = useGraphAnswer(() => exploration.value, { refreshSeconds: 30 });
 *
 * `answered` stays what it was while the next answer is awaited; `hint` says why an exploration cannot be asked yet.
 * Kinds that draw the same answer share it: from areas to lines nothing is asked.
 */
export function useGraphAnswer(
  exploration: MaybeRefOrGetter<Exploration>,
  options: {
    /** Pause before asking again, if the range ends now; 0: never. */
    refreshSeconds?: MaybeRefOrGetter<number>;
    /** Whether to ask at all: a tile that is not seen need not. */
    active?: MaybeRefOrGetter<boolean>;
  } = {},
) {
  const { utc } = useFormat();
  const active = computed(() => toValue(options.active) ?? true);
  const hint = computed(() => hintOf(toValue(exploration)));

  async function run(_: unknown, signal: AbortSignal): Promise<Answered> {
    const e = toValue(exploration);
    const now = Date.now();
    const { span, problem } = resolveRange(e, now, utc.value);
    if (!span) throw new RangeProblem(problem);
    return { exploration: e, answer: await askGraph(questionOf(e, askedRange(span, now)), signal), span };
  }

  const question = useQuestion(
    () => {
      const e = toValue(exploration);
      return hint.value || !active.value ? null : { ...questionOf(e, { start: "" }), from: e.from, to: e.to };
    },
    run,
    { isEmpty: (answered) => isEmpty(answered.answer) },
  );
  usePolling(question.refresh, () => {
    return active.value && endsNow(toValue(exploration)) ? (toValue(options.refreshSeconds) ?? 0) * 1000 : 0;
  });
  const { answer, error, loading, state, old, took, refresh } = question;
  return { answered: answer, error, loading, state, old, took, hint, refresh, /** For a `Panel`. */ question };
}
