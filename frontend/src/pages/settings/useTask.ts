/** Something that is done once, takes a moment, and may fail. */
import { readonly, ref } from "vue";
import { isAbort, messageOf } from "@/api/problem";

export function useTask() {
  const busy = ref(false);
  const problem = ref("");

  /** Do it; whether it went well. What went wrong is in `problem`, as `words` says it if given. */
  async function run(task: () => Promise<unknown>, words: (error: unknown) => string = messageOf): Promise<boolean> {
    busy.value = true;
    problem.value = "";
    try {
      await task();
      return true;
    } catch (error) {
      if (!isAbort(error)) problem.value = words(error);
      return false;
    } finally {
      busy.value = false;
    }
  }
  return { busy: readonly(busy), problem: readonly(problem), run };
}
