/** Height of a graph over time: a part of the window, so that the table below is seen too. */
import { onScopeDispose, ref } from "vue";

const PART = 0.42;
const LEAST = 240;
const MOST = 640;

export function useGraphHeight() {
  const measure = (): number => Math.round(Math.min(Math.max(innerHeight * PART, LEAST), MOST));
  const height = ref(measure());
  const resized = (): void => {
    height.value = measure();
  };
  addEventListener("resize", resized);
  onScopeDispose(() => removeEventListener("resize", resized));
  return height;
}
